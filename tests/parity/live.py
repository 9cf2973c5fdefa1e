"""A job that goes on: over a recording that grows, stopped with a savepoint, started from it."""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

from tests.emulator import free_port, stop_group, wait_until
from tests.parity.answers import ARRIVED, SHARD, Answer
from tests.parity.java import environment
from tests.parity.job import COMMAND, answer_of, table_of_files, table_of_recordings, write_properties
from tests.parity.recordings import records

PATIENCE_S: Final = 180.0
LOOK_EVERY_S: Final = 0.25
PUBLISHED_SOON: Final = {
    "sink.rolling-policy.rollover-interval": "300 ms",
    "sink.rolling-policy.check-interval": "100 ms",
}


class LiveJob:
    """One life of the job in `folder`; what it writes becomes visible with each flink_checkpoint."""

    def __init__(self, folder: Path, *, savepoint: str = "", parallelism: int = 1) -> None:
        """Start from `savepoint` when it is given."""
        self._folder = folder
        self._address = f"http://127.0.0.1:{(port := free_port())}"
        self._recording = folder / "stream_1" / "0"
        self._recording.parent.mkdir(parents=True, exist_ok=True)
        self._recording.touch()
        local = {
            "parallelism.default": str(parallelism),
            "rest.address": "127.0.0.1",
            "rest.port": str(port),
            "metrics.fetcher.update-interval": "100 ms",
            "execution.checkpointing.interval": "500 ms",
            "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
        }
        tables = {
            "stream_1": table_of_recordings(folder / "stream_1", growing="true"),
            "stream_2": table_of_files(folder / "stream_2") | PUBLISHED_SOON,
            "bad_events": table_of_files(folder / "bad_events") | PUBLISHED_SOON,
        }
        restore = {"execution.state-recovery.path": savepoint} if savepoint else {}
        if parallelism > 1:  # behind several writers of files there is a committer apart; streams have none
            restore["execution.state-recovery.ignore-unclaimed-state"] = "true"
        self._properties = write_properties(folder, tables, local | restore)
        self._log = folder / "job.log"

    def __enter__(self) -> Self:
        """Start it."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, on our own files
                [*COMMAND, self._properties],
                env=environment("1000m"),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running."""
        stop_group(self._process)

    def add(self, payloads: Sequence[bytes]) -> None:
        """Let `payloads` come to stream 1."""
        with self._recording.open("ab") as recording:
            recording.write(records(payloads, shard=SHARD, arrival=ARRIVED))

    def until(self, enough: Callable[[Answer], bool]) -> Answer:
        """Return what it has put out when that is `enough`."""
        wait_until(lambda: self._is_dead() or enough(answer_of(self._folder)), PATIENCE_S, "counts", LOOK_EVERY_S)
        assert not self._is_dead(), self._log.read_text(errors="replace")[-3000:]
        return answer_of(self._folder)

    def _is_dead(self) -> bool:
        return self._process.poll() is not None

    def stop_with_savepoint(self) -> str:
        """Stop it, no window fired for that, and return where its savepoint is."""
        [job] = self._call("/jobs")["jobs"]
        body = {"targetDirectory": (self._folder / "savepoints").as_uri(), "drain": False}
        trigger = self._call(f"/jobs/{job['id']}/stop", body)["request-id"]
        told: dict[str, Any] = {}

        def is_over() -> bool:
            told.update(self._call(f"/jobs/{job['id']}/savepoints/{trigger}"))
            return bool(told["status"]["id"] == "COMPLETED")

        wait_until(is_over, PATIENCE_S, "savepoint", 0.05)
        return str(told["operation"]["location"])

    def dropped(self) -> int:
        """Return how many records have been dropped by windows as late in this life."""
        found: list[int] = []

        def is_told() -> bool:
            found[:] = [int(each["sum"]) for vertex in self._vertices() for each in self._drops_in(vertex["id"])]
            return bool(found)

        wait_until(is_told, PATIENCE_S, "numLateRecordsDropped", LOOK_EVERY_S)
        return sum(found)

    def _drops_in(self, vertex: str) -> list[dict[str, str]]:
        [job] = self._call("/jobs")["jobs"]
        metrics = f"/jobs/{job['id']}/vertices/{vertex}/subtasks/metrics"
        names = [each["id"] for each in self._call(metrics) if each["id"].endswith("numLateRecordsDropped")]
        return list(self._call(f"{metrics}?get={quote(','.join(names))}")) if names else []

    def sources(self) -> int:
        """Return how many times the job reads stream 1."""
        return sum(vertex["name"].count("Source: stream_1") for vertex in self._vertices())

    def _vertices(self) -> list[dict[str, str]]:
        [job] = self._call("/jobs")["jobs"]
        return list(self._call(f"/jobs/{job['id']}")["vertices"])

    def _call(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, data=data, headers=headers)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - our own address
            return json.load(reply)
