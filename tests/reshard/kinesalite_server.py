"""A kinesalite process, and a stream of it that is split and merged."""

import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError

from tests.emulator import REGION, free_port, stop_group, wait_until

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

KEYS = 40


@dataclass(slots=True)
class ReshardedStream:
    """A stream to feed while it is resharded: payloads are `<key>:<number>`, numbered up for each key."""

    kinesis: "KinesisClient"
    name: str
    put: list[str] = field(default_factory=list)

    def feed(self, rounds: int) -> None:
        """Put `rounds` records of each key."""
        first = len(self.put) // KEYS
        for number in range(first, first + rounds):
            keys = [f"k{key}" for key in range(KEYS)]
            entries: Any = [{"Data": f"{key}:{number}".encode(), "PartitionKey": key} for key in keys]
            reply = self.kinesis.put_records(StreamName=self.name, Records=entries)
            assert not reply["FailedRecordCount"]
            self.put += [f"{key}:{number}" for key in keys]

    def open_shards(self) -> list[Any]:
        """The shards that take records now."""
        shards = self.kinesis.list_shards(StreamName=self.name)["Shards"]
        return [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]

    def split(self) -> None:
        """Split the first open shard in the middle."""
        shard = self.open_shards()[0]
        low, high = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
        self.kinesis.split_shard(
            StreamName=self.name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2)
        )
        self._wait_until_active()

    def merge(self) -> None:
        """Merge the two open shards with the lowest hash keys."""
        left, right = sorted(self.open_shards(), key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))[:2]
        self.kinesis.merge_shards(
            StreamName=self.name, ShardToMerge=left["ShardId"], AdjacentShardToMerge=right["ShardId"]
        )
        self._wait_until_active()

    def _wait_until_active(self) -> None:
        def active() -> bool:
            summary = self.kinesis.describe_stream_summary(StreamName=self.name)
            return summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"

        wait_until(active, 10, "the reshard to end")


class Kinesalite:
    """One kinesalite on a free port, in memory."""

    def __init__(self, program: Path, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._program = program
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._client: KinesisClient = boto3.client(
            "kinesis",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - it takes any
        )

    def create_stream(self, shards: int) -> ReshardedStream:
        name = f"s-{uuid4().hex[:8]}"
        self._client.create_stream(StreamName=name, ShardCount=shards)
        self._client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        return ReshardedStream(self._client, name)

    def __enter__(self) -> Self:
        node = shutil.which("node")
        assert node is not None
        quick = [f"--{change}StreamMs=20" for change in ("create", "delete", "update")]
        command = [node, str(self._program), f"--port={self.port}", "--shardLimit=100", *quick]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - ours
        try:
            wait_until(self._answers, 30, f"kinesalite on {self.url}, log {self._log}")
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self) -> bool:
        try:
            self._client.list_streams()
        except BotoCoreError:
            return False
        return True

    def stop(self) -> None:
        self._client.close()
        if self._process is not None:
            stop_group(self._process, signal.SIGTERM)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
