"""Carries the Flink job's bad events from their stream to the dead-letter queue, as an EventBridge pipe does in AWS."""

import threading
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from local import aws
from local.journal import Journal

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

LOOK_EVERY: Final = 0.5  # seconds


class Pipe:
    """From a stream, which it makes, to a queue. What it reads twice after a start has the same `bad_event_id`."""

    def __init__(self, stream: str, queue_url: str, endpoint_url: str, journal: Journal) -> None:
        """Connect to nothing yet."""
        self._stream = stream
        self._queue_url = queue_url
        self._journal = journal
        self._kinesis = aws.kinesis(endpoint_url)
        self._sqs = aws.sqs(endpoint_url)

    def run(self, stop: threading.Event) -> None:
        """Carry until `stop`; after an error, from the beginning."""
        make_stream(self._kinesis, self._stream)
        self._journal.info("piping", stream=self._stream)
        while not stop.is_set():
            try:
                self._carry(stop)
            except (BotoCoreError, ClientError) as error:
                self._journal.warning("pipe_interrupted", reason=str(error))
                stop.wait(LOOK_EVERY)

    def _carry(self, stop: threading.Event) -> None:
        iterators = [self._first(shard["ShardId"]) for shard in self._shards()]
        while not stop.is_set():
            iterators = [self._read(each) for each in iterators]
            stop.wait(LOOK_EVERY)

    def _shards(self) -> list[dict[str, str]]:
        return [{"ShardId": each["ShardId"]} for each in self._kinesis.list_shards(StreamName=self._stream)["Shards"]]

    def _first(self, shard_id: str) -> str:
        answer = self._kinesis.get_shard_iterator(
            StreamName=self._stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )
        return answer["ShardIterator"]

    def _read(self, iterator: str) -> str:
        """Send each record of one read as a message; return where to go on."""
        answer = self._kinesis.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=record["Data"].decode())
        return answer["NextShardIterator"]


def make_stream(kinesis: "KinesisClient", stream: str) -> None:
    """Make a stream of one shard unless it is there."""
    try:
        kinesis.create_stream(StreamName=stream, ShardCount=1)
    except kinesis.exceptions.ResourceInUseException:
        return
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
