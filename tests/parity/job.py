"""The real Flink job, over files, in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.parity.answers import Answer, Count

ROOT: Final = Path(__file__).parents[2]
FLINK: Final = ROOT / "flink"
DEADLINE: Final = 600

needs_flink: Final = pytest.mark.skipif(
    not (FLINK / ".venv" / ".done").exists() or shutil.which("java") is None,
    reason="Flink is not set up (`make flink-setup`), or there is no Java",
)


def run_job(streams: Sequence[Sequence[bytes]], directory: Path) -> list[Answer]:
    """Run the job on each of `streams`, one after the other in one JVM; return what it put out for each.

    A payload with a line break in it cannot be told from two in a file.
    """
    properties = [_prepare(payloads, directory / str(number)) for number, payloads in enumerate(streams)]
    process = subprocess.Popen(  # noqa: S603 - our own program, on our own files
        [FLINK / ".venv/bin/python", FLINK / "main.py", *properties],
        env=os.environ | {"JVM_ARGS": "-Xmx1500m"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=DEADLINE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output.decode(errors="replace")[-3000:]
    answers = [_answer(path.parent) for path in properties]
    for path in properties:
        shutil.rmtree(path.parent)
    return answers


def _prepare(payloads: Sequence[bytes], directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "stream_1").write_bytes(b"".join(payload + b"\n" for payload in payloads))
    tables = {
        name: {"connector": "filesystem", "path": (directory / name).as_uri(), "format": form}
        for name, form in (("stream_1", "raw"), ("stream_2", "json"), ("bad_events", "json"))
    }
    groups = deployed() | tables | {"Local": {"parallelism.default": "1"}}
    path = directory / "properties.json"
    path.write_text(json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()]))
    return path


def deployed() -> dict[str, dict[str, str]]:
    """Return the property groups that are deployed, by their names."""
    groups = json.loads((FLINK / "application_properties.json").read_text())
    return {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}


def _answer(directory: Path) -> Answer:
    answer = Answer()
    for row in _rows(directory / "stream_2"):
        told = answer.finals if row["kind"] == "final" else answer.earlies
        told[Count(row["user_id"], row["window_start"], row["num_actions"])] += 1
    answer.bad.update((row["kind"], b64decode(row["payload"])) for row in _rows(directory / "bad_events"))
    return answer


def _rows(table: Path) -> Iterator[dict[str, Any]]:
    for part in table.rglob("part-*"):
        with part.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
