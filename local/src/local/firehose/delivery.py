"""Reading every shard, writing an object when one is due, and only then moving on."""

import gzip
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local import aws
from local.firehose.buffer import Buffer, Limits, Record
from local.firehose.layout import object_key
from local.firehose.positions import Positions
from local.journal import Journal

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import GetRecordsOutputTypeDef

READ_LIMIT: Final = 5000
READ_EVERY: Final = 0.2
RETRY_AFTER: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """From where to where.

    Attributes:
        name: of the delivery stream; objects and the position table are called so.
        stream: the Kinesis stream.
        bucket: the S3 bucket.
        prefix: of the objects' keys, in Firehose's notation.
        poll: seconds between two reads of a shard that has nothing more (Kinesis allows five a second).
    """

    name: str
    stream: str
    bucket: str
    prefix: str
    poll: float = 1.0

    @classmethod
    def of_outputs(cls, outputs: Mapping[str, str], *, poll: float) -> "Route":
        """Return the archive's route in a deployed data stack."""
        return cls(
            name=outputs["ArchiveName"],
            stream=outputs["RawStreamName"],
            bucket=outputs["RawBucketName"],
            prefix=outputs["ArchivePrefix"],
            poll=poll,
        )


class Delivery:
    """One delivery stream; at least once, as Firehose: after a kill what was not yet saved is written again."""

    def __init__(self, route: Route, limits: Limits, endpoint_url: str, journal: Journal) -> None:
        """Connect to nothing yet."""
        self._route = route
        self._limits = limits
        self._journal = journal
        self._kinesis = aws.kinesis(endpoint_url)
        self._s3 = aws.s3(endpoint_url)
        self._positions = Positions(aws.dynamodb(endpoint_url), route.name)
        self._buffer = Buffer(limits=limits)

    def run(self, stop: threading.Event) -> None:
        """Archive until `stop`, then read each shard once more and write; an error begins at the saved positions."""
        while not stop.is_set():
            self._buffer = Buffer(limits=self._limits)
            try:
                self._positions.prepare()
                self._archive(stop)
            except (BotoCoreError, ClientError) as error:
                self._journal.warning("delivery_interrupted", reason=str(error), retry_after_seconds=RETRY_AFTER)
                stop.wait(RETRY_AFTER)

    def _archive(self, stop: threading.Event) -> None:
        iterators: dict[str, str | None] = {}
        self._discover(iterators)
        self._journal.info("archiving", stream=self._route.stream, bucket=self._route.bucket, shards=len(iterators))
        while not stop.is_set():
            behind = [self._read(iterators, shard_id) for shard_id, at in list(iterators.items()) if at]
            self._write_when_due()
            stop.wait(READ_EVERY if any(behind) else self._route.poll)
        for shard_id in [shard_id for shard_id, at in iterators.items() if at]:
            self._read(iterators, shard_id)
        self._write()

    def _read(self, iterators: dict[str, str | None], shard_id: str) -> bool:
        """Read a shard once; return whether it has more."""
        answer = self._kinesis.get_records(ShardIterator=iterators[shard_id] or "", Limit=READ_LIMIT)
        self._accept(shard_id, answer)
        iterators[shard_id] = answer.get("NextShardIterator")
        if iterators[shard_id] is None:  # split or merged: its children are new
            self._discover(iterators)
        return len(answer["Records"]) == READ_LIMIT

    def _discover(self, iterators: dict[str, str | None]) -> None:
        """Add each shard that `iterators` does not know."""
        for shard in self._kinesis.list_shards(StreamName=self._route.stream)["Shards"]:
            if shard["ShardId"] not in iterators:
                iterators[shard["ShardId"]] = self._iterator(shard["ShardId"])

    def _accept(self, shard_id: str, answer: "GetRecordsOutputTypeDef") -> None:
        for read in answer["Records"]:
            self._buffer.add(
                Record(
                    shard_id=shard_id,
                    sequence_number=read["SequenceNumber"],
                    arrived=read["ApproximateArrivalTimestamp"],
                    data=read["Data"],
                ),
                now=time.monotonic(),
            )
            self._write_when_due()

    def _write_when_due(self) -> None:
        if self._buffer.is_due(now=time.monotonic()):
            self._write()

    def _write(self) -> None:
        """Put the object, then save the positions, then empty the buffer."""
        if self._buffer.oldest is None:
            return
        key = object_key(prefix=self._route.prefix, stream=self._route.name, at=self._buffer.oldest, unique=uuid4())
        self._s3.put_object(
            Bucket=self._route.bucket,
            Key=key,
            Body=gzip.compress(self._buffer.body(), compresslevel=6),
            ContentType="application/octet-stream",
        )
        self._positions.save(self._buffer.read_up_to())
        self._journal.info("object_written", key=key, records=len(self._buffer.parts) // 2, bytes=self._buffer.size)
        self._buffer = Buffer(limits=self._limits)

    def _iterator(self, shard_id: str) -> str:
        saved = self._positions.load(shard_id)
        if saved is None:
            answer = self._kinesis.get_shard_iterator(
                StreamName=self._route.stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        else:
            answer = self._kinesis.get_shard_iterator(
                StreamName=self._route.stream,
                ShardId=shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=saved,
            )
        return answer["ShardIterator"]
