"""The packaged Flink job over Kinesis, with the pipe of its bad events, over an emulated account of its own."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from local import flink
from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent
from tests.emulator import ROOT, Emulator, start_group, stop_group, wait_until
from tests.observed import BAD_EVENTS, SINK, SOURCE
from tests.parity.answers import Answer, delivered
from tests.parity.java import environment
from tests.streams import drain_bad_events, read_counts

PATIENCE_S = 150.0
PYTHON = str(ROOT / "local" / ".venv" / "bin" / "python")
AT_ONCE = 20  # records; some are a megabyte, and a call takes five


class FlinkJob:
    """`with` starts everything and leaves nothing running; `folder` has its log, its checkpoints and the emulator's."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet."""
        self.emulator = Emulator(folder)
        self.process: subprocess.Popen[bytes]
        self.bad: dict[str, BadEvent] = {}
        self._folder = folder
        self._log = folder / "flink.log"
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start the account and its resources, the pipe and the job; return when it reads."""
        try:
            self.emulator.start()
            assert self._local("deploy").wait(PATIENCE_S) == 0
            self._local("pipe")
            self.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self._stop()

    def _stop(self) -> None:
        for process in reversed(self._started):
            stop_group(process)
        self.emulator.stop()

    def _local(self, name: str) -> "subprocess.Popen[bytes]":
        settings = environment("1g") | self.emulator.env | {"LOCAL_RUN_DIR": str(self._folder)}
        command = [PYTHON, "-m", "local", name, "--port", str(self.emulator.port)]
        process = start_group(command, self._folder / f"{name}.log", settings)
        self._started.append(process)
        return process

    # -- the job

    def start(self) -> None:
        """Start the job and return when it reads."""
        before = len(self.log())
        self.process = self._local("flink")
        wait_until(lambda: flink.READING in self.log()[before:], PATIENCE_S, f"the job reads; see {self._log}")

    def kill(self) -> None:
        """Kill -9 the job, all of it."""
        stop_group(self.process)

    def log(self) -> str:
        """Return what the job has logged."""
        return self._log.read_text() if self._log.exists() else ""

    def until_checkpoint(self) -> None:
        """Return when a flink_checkpoint that began after now is complete."""
        now = time.time()
        wait_until(lambda: any(at > now for at in self._checkpoint_times()), PATIENCE_S, "a checkpoint", 0.2)

    def _checkpoint_times(self) -> list[float]:
        return [written.stat().st_mtime for written in self._folder.glob("flink/*/*/chk-*/_metadata")]

    # -- what goes in and what comes of it

    def send(self, payloads: Sequence[bytes], *, shard: int = 0) -> None:
        """Put records into one shard, in order."""
        kinesis = self.emulator.client("kinesis")
        key = kinesis.list_shards(StreamName=SOURCE)["Shards"][shard]["HashKeyRange"]["StartingHashKey"]
        for start in range(0, len(payloads), AT_ONCE):
            reply = kinesis.put_records(
                StreamName=SOURCE,
                Records=[
                    {"Data": data, "PartitionKey": "any", "ExplicitHashKey": key}
                    for data in payloads[start : start + AT_ONCE]
                ],
            )
            assert not reply["FailedRecordCount"], reply

    def counts(self) -> list[WindowCount]:
        """Return every record of stream 2."""
        return read_counts(self.emulator.client("kinesis"), SINK)

    def answer(self) -> Answer:
        """Return what it has said until now: each count once, each bad event once."""
        sqs = self.emulator.client("sqs")
        url = sqs.get_queue_url(QueueName=BAD_EVENTS)["QueueUrl"]
        self.bad |= {event.bad_event_id: event for event in drain_bad_events(sqs, url)}
        return delivered(set(self.counts()), self.bad.values())

    def until_it_says(self, expected: Answer) -> None:
        """Return when it has said what is expected and nothing else.

        Raises:
            AssertionError: naming what differs.
        """
        try:
            wait_until(lambda: not self.answer().differences(expected), PATIENCE_S, "parity", 1.0)
        except TimeoutError:
            differences = self.answer().differences(expected)
            assert not differences, [len(differences), differences[:20], self.log()[-2000:]]

    def record_at(self, shard: str, sequence_number: str) -> bytes:
        """Return the record that a bad event names."""
        kinesis = self.emulator.client("kinesis")
        iterator = kinesis.get_shard_iterator(
            StreamName=SOURCE,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=sequence_number,
        )["ShardIterator"]
        return kinesis.get_records(ShardIterator=iterator, Limit=1)["Records"][0]["Data"]
