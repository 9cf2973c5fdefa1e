"""The real Flink job, over files, in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent
from tests.parity.answers import ARRIVED, SHARD, WINDOWING, Answer, delivered
from tests.parity.java import environment, java_home
from tests.parity.recordings import records
from tests.untested import needs

ROOT: Final = Path(__file__).parents[2]
FLINK: Final = ROOT / "flink"
COMMAND: Final = [FLINK / ".venv/bin/python", FLINK / "main.py"]
#: As Managed Flink keeps it.
STATE: Final = {"state.backend.type": "rocksdb", "execution.checkpointing.incremental": "true"}
DEADLINE: Final = 1_500  # seconds; a minute on a quiet machine
Row = TypeVar("Row")

needs_flink: Final = needs(
    "the Flink job equals the model",
    missing="Flink's environment (`make flink-setup`), or a Java from 17 to 21 (`make setup` fetches one)",
    there=(FLINK / ".venv" / ".done").exists() and java_home() is not None,
)


def run_job(streams: Sequence[Sequence[bytes]], directory: Path) -> list[Answer]:
    """Run the job on each of `streams`, one after the other in one JVM; return what it put out for each."""
    return run_recordings([records(payloads, shard=SHARD, arrival=ARRIVED) for payloads in streams], directory)


def run_recordings(recordings: Sequence[bytes], directory: Path) -> list[Answer]:
    """Run the job on each of `recordings`, one after the other in one JVM; return what it put out for each."""
    properties = [prepare(recording, directory / str(number)) for number, recording in enumerate(recordings)]
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


def prepare(recording: bytes, directory: Path) -> Path:
    """Write `recording` into `directory`, and the property file of a job that reads it there; return that file."""
    source = directory / "stream_1"
    source.mkdir(parents=True)
    (source / "0").write_bytes(recording)
    tables = {"stream_1": table_of_recordings(source)}
    tables |= {name: table_of_files(directory / name) for name in ("stream_2", "bad_events")}
    return write_properties(directory, tables, {"parallelism.default": "1"})


def table_of_recordings(folder: Path, **options: str) -> dict[str, str]:
    """Return the options of a stream 1 that reads the recordings in `folder`: deployed but for the connector."""
    deployed_too = {name: value for name, value in deployed()["stream_1"].items() if name.startswith("scan.")}
    ahead = {"max-ahead": f"{WINDOWING.max_ahead} ms", "max-replay-ahead": f"{WINDOWING.max_replay_ahead} ms"}
    return {"connector": "recorded", "path": folder.as_uri()} | deployed_too | ahead | options


def table_of_files(path: Path) -> dict[str, str]:
    """Return the options of a table whose rows are written into files, in JSON."""
    return {"connector": "filesystem", "path": path.as_uri(), "format": "json"}


def write_properties(directory: Path, tables: Mapping[str, Mapping[str, str]], local: Mapping[str, str]) -> Path:
    """Write the property file of a job: what is deployed but for its `tables`, and `local` settings."""
    groups = {**deployed(), **tables, "Local": {"pipeline.jars": jar().as_uri(), **STATE, **local}}
    path = directory / "properties.json"
    path.write_text(json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()]))
    return path


def deployed() -> dict[str, dict[str, str]]:
    """Return the property groups that are deployed, by their names."""
    groups = json.loads((FLINK / "application_properties.json").read_text())
    return {group["PropertyGroupId"]: group["PropertyMap"] for group in groups}


@cache
def jar() -> Path:
    """Return the jar with our classes, compiled anew from what there is now, without Maven and without a JDK."""
    subprocess.run([COMMAND[0], FLINK / "compile.py"], env=environment("500m"), check=True)  # noqa: S603 - our own program
    return FLINK / "target/recordings.jar"


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
