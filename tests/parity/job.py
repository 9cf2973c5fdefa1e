"""The real Flink job, over files, in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent
from tests.parity.answers import ARRIVED, Answer, delivered
from tests.parity.java import environment, java_home
from tests.untested import needs

ROOT: Final = Path(__file__).parents[2]
FLINK: Final = ROOT / "flink"
COMMAND: Final = [FLINK / ".venv/bin/python", FLINK / "main.py"]
DEADLINE: Final = 1_500  # seconds; a minute on a quiet machine
Row = TypeVar("Row")

needs_flink: Final = needs(
    "the Flink job equals the model",
    missing="Flink's environment (`make flink-setup`), or a Java from 17 to 21 (`make setup` fetches one)",
    there=(FLINK / ".venv" / ".done").exists() and java_home() is not None,
)


def run_job(streams: Sequence[Sequence[bytes]], directory: Path) -> list[Answer]:
    """Run the job on each of `streams`, one after the other in one JVM; return what it put out for each.

    A payload with a line break in it cannot be told from two in a file.
    """
    properties = [prepare(payloads, directory / str(number)) for number, payloads in enumerate(streams)]
    process = subprocess.Popen(  # noqa: S603 - our own program, on our own files
        [*COMMAND, *properties],
        env=environment("1500m"),
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
    answers = [answer_of(path.parent) for path in properties]
    for path in properties:
        shutil.rmtree(path.parent)
    return answers


def prepare(payloads: Sequence[bytes], directory: Path) -> Path:
    """Write `payloads` into `directory`, and the property file of a job that reads them there; return that file."""
    directory.mkdir(parents=True)
    source = directory / "stream_1"
    source.write_bytes(b"".join(payload + b"\n" for payload in payloads))
    os.utime(source, (ARRIVED / 1000, ARRIVED / 1000))
    forms = {"stream_1": "raw", "stream_2": "json", "bad_events": "json"}
    tables = {name: table_of_files(directory / name, form) for name, form in forms.items()}
    return write_properties(directory, tables, {"parallelism.default": "1"})


def table_of_files(path: Path, form: str) -> dict[str, str]:
    """Return the options of a table whose records are in files, in the format `form`."""
    return {"connector": "filesystem", "path": path.as_uri(), "format": form}


def write_properties(directory: Path, tables: Mapping[str, Mapping[str, str]], local: Mapping[str, str]) -> Path:
    """Write the property file of a job: what is deployed but for its `tables`, and `local` settings."""
    groups = {**deployed(), **tables, "Local": local}
    path = directory / "properties.json"
    path.write_text(json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()]))
    return path


def deployed() -> dict[str, dict[str, str]]:
    """Return the property groups that are deployed, by their names."""
    groups = json.loads((FLINK / "application_properties.json").read_text())
    return {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}


def answer_of(directory: Path) -> Answer:
    """Return what a job has put out into `directory` until now."""
    bad = rows(directory / "bad_events", BadEvent)
    assert all(event.service == "flink" and event.stream.endswith("/stream_1") for event in bad)
    assert len({event.bad_event_id for event in bad}) >= len({event.payload for event in bad}), "an id each"
    return delivered(rows(directory / "stream_2", WindowCount), bad)


def rows(table: Path, kind: type[Row]) -> list[Row]:
    """Return the rows of a table of files, each of them checked against the schema of its `kind`."""
    decode = msgspec.json.Decoder(kind, strict=True).decode
    return [decode(line) for part in sorted(table.rglob("part-*")) for line in part.read_bytes().splitlines()]
