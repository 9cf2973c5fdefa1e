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
        kinesis = self.aws.client("kinesis")
        found: dict[str, list[dict[str, Any]]] = {}
        for shard in kinesis.list_shards(StreamName=self.stream)["Shards"]:
            shard_id = shard["ShardId"]
            iterator = kinesis.get_shard_iterator(
                StreamName=self.stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found[shard_id] = []
            while reply := kinesis.get_records(ShardIterator=iterator, Limit=10_000):
                if not reply["Records"]:
                    break
                found[shard_id] += [msgspec.json.decode(record["Data"]) for record in reply["Records"]]
                iterator = reply["NextShardIterator"]
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Return the records that are no heartbeats."""
        return [each for found in self.records().values() for each in found if each["event_type"] != "heartbeat"]

    def bad_events(self) -> list[dict[str, Any]]:
        """Take all messages from the queue."""
        sqs, found = self.aws.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(msgspec.json.decode(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line of a producer."""
    return [str(Path(sys.prefix) / "bin" / os.path.basename(sys.executable)), "-m", "producer", *arguments]  # noqa: PTH119
