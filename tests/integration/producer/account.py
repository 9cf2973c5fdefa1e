"""What a producer process needs of AWS, and what it left there."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from tests.emulator import Emulator
from tests.streams import drain, read_shards


@dataclass
class Account:
    """A stream, a bucket and a queue of one test's own."""

    aws: Emulator
    stream: str
    bucket: str
    queue_url: str
    folder: Path

    @classmethod
    def create(cls, aws: Emulator, folder: Path) -> "Account":
        """Make them."""
        name = f"producer-{uuid4().hex[:8]}"
        aws.client("kinesis").create_stream(StreamName=name, ShardCount=2)
        aws.client("s3").create_bucket(Bucket=name)
        return cls(aws, name, name, aws.client("sqs").create_queue(QueueName=name)["QueueUrl"], folder)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a producer process."""
        own = {
            "PRODUCER_STREAM": self.stream,
            "PRODUCER_RAW_BUCKET": self.bucket,
            "PRODUCER_BAD_EVENTS_QUEUE": self.bucket,
            "PRODUCER_STATE_FOLDER": str(self.folder / "states"),
            "PRODUCER_PORT": "0",
        }
        return self.aws.process_env | own

    def upload(self, key: str, content: bytes) -> str:
        """Store an object and return its URL."""
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Return the stream's records by shard, in order."""
        shards = read_shards(self.aws.client("kinesis"), self.stream)
        return {shard_id: [msgspec.json.decode(data) for data in found] for shard_id, found in shards.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Return the records that are no heartbeats."""
        return [each for found in self.records().values() for each in found if each["event_type"] != "heartbeat"]

    def bad_events(self) -> list[dict[str, Any]]:
        """Take all messages from the queue."""
        return [msgspec.json.decode(body) for body in drain(self.aws.client("sqs"), self.queue_url)]


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line of a producer."""
    return [str(Path(sys.prefix) / "bin" / os.path.basename(sys.executable)), "-m", "producer", *arguments]  # noqa: PTH119
