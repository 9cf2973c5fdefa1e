"""The files of the application's zip are all that the job needs, started as Managed Flink starts it."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.parity.answers import ARRIVED, SHARD, pure
from tests.parity.cases import stream
from tests.parity.java import environment
from tests.parity.job import DEADLINE, FLINK, STATE, answer_of, deployed, jar, needs_flink, prepare
from tests.parity.recordings import records

pytestmark = [needs_flink, pytest.mark.timeout(1_800)]

ZIP: Final = (FLINK / "assembly/application.xml").read_text()
FILES: Final = re.findall(r"<source>([\w./]+)</source><outputDirectory>([\w/]+)</outputDirectory>", ZIP)
FOLDERS: Final = re.findall(r"<directory>([\w/]+)</directory><outputDirectory>([\w/]+)</outputDirectory>", ZIP)

#: What PyFlink and the planner set in any job, so Managed Flink lets them; how many slots these tests use, and what
#: Managed Flink keeps to itself: how state is kept.
NOT_OURS: Final = {
    *STATE,
    "__table.query-start.current-database__",
    "__table.query-start.epoch-time__",
    "__table.query-start.local-time__",
    "pipeline.jars",
    "python.executable",
    "python.loopback-server.address",
    "table.exec.mini-batch.enabled",
    "parallelism.default",
}


def unpacked(folder: Path) -> Path:
    """Lay the files of the zip out in `folder`, but for the jar: the one over recordings is in its place."""
    folder.mkdir()
    for source, target in FILES:
        if not source.startswith("target/"):
            shutil.copy(FLINK / source, folder / target.strip("/"))
    for source, target in FOLDERS:
        shutil.copytree(FLINK / source, folder / target.strip("/"))
    return folder


def run(application: Path, properties: Path, settable: set[str]) -> "subprocess.CompletedProcess[str]":
    """Run an application by Flink's Python driver, which lets it set nothing but what is `settable`."""
    [programs] = (FLINK / ".venv/lib").glob("python*/site-packages/pyflink/bin")
    python = FLINK / ".venv/bin/python"
    guard = ("-Dexecution.program-config.enabled=false", f"-Dexecution.program-config.wildcards={';'.join(settable)}")
    command = (programs / "flink", "run", "--target", "local", *guard, "--pyClientExecutable", python)
    folders = {"FLINK_LOG_DIR": str(application), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(  # noqa: S603 - Flink's own program, on our own files
        [*command, "--python", application / "main.py", "--jarfile", jar(), properties],
        cwd=application.parent,
        env=environment("1000m") | folders,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_what_is_packed_runs_under_flinks_python_driver_and_sets_what_is_deployed_alone(tmp_path: Path) -> None:
    payloads = stream(seed=3, cases=1, events=50)
    properties = prepare(records(payloads, shard=SHARD, arrival=ARRIVED), tmp_path / "job")
    done = run(unpacked(tmp_path / "application"), properties, NOT_OURS | deployed()["Flink"].keys())
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert answer_of(properties.parent).differences(pure(payloads)) == []


def test_a_setting_that_is_not_settable_would_end_it(tmp_path: Path) -> None:
    name = "table.exec.state.ttl"
    properties = prepare(b"", tmp_path / "job")
    done = run(unpacked(tmp_path / "application"), properties, NOT_OURS | deployed()["Flink"].keys() - {name})
    assert done.returncode != 0
    assert f"Configuration {name}:10 min not allowed" in done.stdout + done.stderr
