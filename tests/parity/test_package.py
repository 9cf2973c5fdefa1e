"""The files of the application's zip are all that the job needs, started as Managed Flink starts it."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.parity.answers import pure
from tests.parity.cases import stream
from tests.parity.java import environment
from tests.parity.job import DEADLINE, FLINK, answer_of, needs_flink, prepare

pytestmark = [needs_flink, pytest.mark.timeout(1_800)]

ZIP: Final = (FLINK / "assembly/application.xml").read_text()
FILES: Final = re.findall(r"<source>([\w./]+)</source><outputDirectory>([\w/]+)</outputDirectory>", ZIP)
FOLDERS: Final = re.findall(r"<directory>([\w/]+)</directory><outputDirectory>([\w/]+)</outputDirectory>", ZIP)


def unpacked(folder: Path) -> Path:
    """Lay the files of the zip out in `folder`, but for the connector's jar, as the tables are files here."""
    for source, target in FILES:
        if not source.startswith("target/"):
            shutil.copy(FLINK / source, folder / target.strip("/"))
    for source, target in FOLDERS:
        shutil.copytree(FLINK / source, folder / target.strip("/"))
    return folder


def test_what_is_packed_runs_under_flinks_python_driver(tmp_path: Path) -> None:
    application = tmp_path / "application"
    application.mkdir()
    payloads = stream(seed=3, cases=1, events=50)
    properties = prepare(payloads, tmp_path / "job")
    [bin_folder] = (FLINK / ".venv/lib").glob("python*/site-packages/pyflink/bin")
    python = FLINK / ".venv/bin/python"
    done = subprocess.run(  # noqa: S603 - Flink's own program, on our own files
        [
            *(bin_folder / "flink", "run", "--target", "local", "--pyClientExecutable", python),
            *("--python", unpacked(application) / "main.py", properties),
        ],
        cwd=tmp_path,
        env=environment("1000m") | {"FLINK_LOG_DIR": str(tmp_path), "PATH": f"{python.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert answer_of(properties.parent).differences(pure(payloads)) == []
