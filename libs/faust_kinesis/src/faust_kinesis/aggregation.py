"""KPL-aggregated records: many user records in one Kinesis record (AWS's aggregation format)."""

import hashlib
from collections.abc import Iterator, Sequence

from aws_kinesis_agg import DIGEST_SIZE, MAGIC
from aws_kinesis_agg.deaggregator import messages_pb2  # importing it alone fails: deaggregator mends sys.path for it
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs here

from faust_kinesis.records import RecordBatch, cut
from kinesis_wire.records import Record


def user_records(record: Record) -> list[Record]:
    """Return the user records in `record`, in order: itself alone when it is not a sound aggregate.

    A broken aggregate (digest, protobuf, key index, no records at all) is passed on as its raw bytes:
    whoever decodes it reports it, and nothing is lost unseen.
    """
    body = record.data[len(MAGIC) : -DIGEST_SIZE]
    if not _is_aggregate(record.data, body):
        return [record]
    try:
        aggregate = messages_pb2.AggregatedRecord.FromString(body)
        keys = aggregate.partition_key_table
        return [_user_record(record, keys[entry.partition_key_index], entry.data) for entry in aggregate.records] or [
            record
        ]
    except (DecodeError, IndexError):
        return [record]


def _is_aggregate(data: bytes, body: bytes) -> bool:
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) + DIGEST_SIZE:
        return False
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return digest == data[-DIGEST_SIZE:]


def _user_record(record: Record, key: str, data: bytes) -> Record:
    return Record(data, record.sequence_number, key, record.approximate_arrival_timestamp)


def batches(stream: str, shard_id: str, records: Sequence[Record], size: int) -> Iterator[RecordBatch]:
    """Cut a page into batches of at most `size` user records, none of them splitting a Kinesis record."""
    for start in range(0, len(records), size):
        batch = RecordBatch(stream, shard_id, records[start : start + size])
        if max(batch.payloads()) < MAGIC:  # a glance at a byte or two of each
            yield batch
        else:
            for group in cut([user_records(record) for record in batch], size):
                yield RecordBatch(stream, shard_id, group)
