"""Reading and writing whole streams and queues in tests, and the exact answer to compare with."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from storepulse.activity.counts import WindowCount, decode_count
from storepulse.failures import BadEvent, BadPayload
from storepulse.instants import format_instant, parse_instant

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef
    from mypy_boto3_sqs import SQSClient

WINDOW = 10_000
Key = tuple[str, str]  # user, window start


def put(kinesis: "KinesisClient", stream: str, records: Sequence[tuple[str, bytes]]) -> None:
    """Put (partition key, data) records, in order, a call at a time."""
    for start in range(0, len(records), 500):
        entries: list[PutRecordsRequestEntryTypeDef] = [
            {"PartitionKey": key, "Data": data} for key, data in records[start : start + 500]
        ]
        reply = kinesis.put_records(StreamName=stream, Records=entries)
        assert not reply["FailedRecordCount"], reply


def read(kinesis: "KinesisClient", stream: str) -> list[bytes]:
    """Return the data of every record in `stream` now, shard by shard."""
    return [data for found in read_shards(kinesis, stream).values() for data in found]


def read_shards(kinesis: "KinesisClient", stream: str) -> dict[str, list[bytes]]:
    """Return the data of every record in `stream` now, by shard id, in order."""
    shards: dict[str, list[bytes]] = {}
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        found = shards.setdefault(shard["ShardId"], [])
        iterator: str | None = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            found.extend(record["Data"] for record in page["Records"])
            if not page["Records"] and not page.get("MillisBehindLatest"):
                break
            iterator = page.get("NextShardIterator")
    return shards


def read_counts(kinesis: "KinesisClient", stream: str) -> list[WindowCount]:
    """Return every count in stream 2; a record that is none fails the test."""
    decoded = [decode_count(data) for data in read(kinesis, stream)]
    bad = [count for count in decoded if isinstance(count, BadPayload)]
    assert not bad, bad[:3]
    return [count for count in decoded if isinstance(count, WindowCount)]


def final_values(counts: Iterable[WindowCount]) -> dict[Key, set[int]]:
    """Return the different final counts of each user and window."""
    values: dict[Key, set[int]] = {}
    for count in counts:
        if count.kind == "final":
            values.setdefault((count.user_id, count.window_start), set()).add(count.num_actions)
    return values


def exact_counts(payloads: Iterable[bytes]) -> dict[Key, int]:
    """Return the exact number of actions of each user in each window, computed from the records themselves."""
    expected: Counter[Key] = Counter()
    for payload in payloads:
        record = msgspec.json.decode(payload)
        if record["event_type"] != "heartbeat":
            time = parse_instant(record["txn_timestamp"])
            expected[record["user_id"], format_instant(time - time % WINDOW)] += 1
    return dict(expected)


def drain_bad_events(sqs: "SQSClient", queue_url: str) -> list[BadEvent]:
    """Take every message off a dead-letter queue; return the distinct bad events."""
    events = [msgspec.json.decode(body, type=BadEvent) for body in drain(sqs, queue_url)]
    return list({event.bad_event_id: event for event in events}.values())


def drain(sqs: "SQSClient", queue_url: str) -> list[str]:
    """Take every message off a queue; return their bodies."""
    bodies: list[str] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        bodies += [message["Body"] for message in messages]
        sqs.delete_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)],
        )
    return bodies
