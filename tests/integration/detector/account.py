"""What the detector reads and writes, made in the emulated AWS under names of its own."""

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_kinesis_agg.aggregator import RecordAggregator

from storepulse.activity.counts import WindowCount, encode_count
from tests.emulator import Emulator
from tests.streams import drain


@dataclass
class Account:
    """Stream, tables, topic with a queue that reads it, dead-letter queue and bucket."""

    emulator: Emulator
    shards: int = 2
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    messages: list[dict[str, Any]] = field(default_factory=list)
    bad_events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make them."""
        self.stream = f"counts-{self.tag}"
        self.counts_table = f"user-actions-{self.tag}"
        self.alerts_table = f"alerts-{self.tag}"
        self.bucket = f"raw-{self.tag}"
        self.application = f"detector-{self.tag}"
        self.emulator.client("kinesis").create_stream(StreamName=self.stream, ShardCount=self.shards)
        self.emulator.client("s3").create_bucket(Bucket=self.bucket)
        for table in (self.counts_table, self.alerts_table):
            self._create_table(table)
        sqs, sns = self.emulator.client("sqs"), self.emulator.client("sns")
        self.bad_events_queue = f"bad-{self.tag}"
        self.bad_events_url = sqs.create_queue(QueueName=self.bad_events_queue)["QueueUrl"]
        self.topic = sns.create_topic(Name=f"alerts-{self.tag}")["TopicArn"]
        self._inbox = sqs.create_queue(QueueName=f"inbox-{self.tag}")["QueueUrl"]
        inbox = sqs.get_queue_attributes(QueueUrl=self._inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=inbox)

    def _create_table(self, name: str) -> None:
        self.emulator.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        )

    @property
    def env(self) -> dict[str, str]:
        """The whole environment of a detector that works here."""
        return self.emulator.process_env | {
            "DETECTOR_PORT": "0",
            "DETECTOR_STREAM": self.stream,
            "DETECTOR_APPLICATION": self.application,
            "DETECTOR_COUNTS_TABLE": self.counts_table,
            "DETECTOR_ALERTS_TABLE": self.alerts_table,
            "DETECTOR_ALERTS_TOPIC_ARN": self.topic,
            "DETECTOR_BAD_EVENTS_QUEUE": self.bad_events_queue,
            "DETECTOR_BAD_EVENTS_BUCKET": self.bucket,
        }

    def put(self, *payloads: WindowCount | bytes) -> None:
        """Put records on the stream; counts keyed by their user."""
        kinesis = self.emulator.client("kinesis")
        records = [
            {"Data": encode_count(each), "PartitionKey": each.user_id}
            if isinstance(each, WindowCount)
            else {"Data": each, "PartitionKey": "bad"}
            for each in payloads
        ]
        for start in range(0, len(records), 500):
            reply = kinesis.put_records(StreamName=self.stream, Records=records[start : start + 500])  # type: ignore[arg-type]  # a list of dicts
            assert reply["FailedRecordCount"] == 0

    def put_aggregated(self, *counts: WindowCount | bytes) -> None:
        """Put one record into which all of `counts` are packed, as the KPL does."""
        aggregator = RecordAggregator()
        for each in counts:
            payload = encode_count(each) if isinstance(each, WindowCount) else each
            assert aggregator.add_user_record("packed", payload) is None
        key, _, data = aggregator.clear_and_get().get_contents()
        self.emulator.client("kinesis").put_record(StreamName=self.stream, PartitionKey=key, Data=data)

    def items(self, table: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return every item of `table` by its key, numbers as int."""
        pages = self.emulator.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = [{name: _plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        return {(str(item["pk"]), str(item["sk"])): item for item in items}

    def counted(self) -> dict[tuple[str, str], tuple[int, str]]:
        """Return num_actions and kind by partition key and window end."""
        return {key: (item["num_actions"], item["kind"]) for key, item in self.items(self.counts_table).items()}

    def alerts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the stored alerts by user and window start."""
        return {
            (item["user_id"], item["window_start"]): item
            for item in self.items(self.alerts_table).values()
            if item["sk"] == "alert"
        }

    def published(self) -> Counter[str]:
        """Return how often each alert id came out of the topic, since the start."""
        self.messages += [json.loads(json.loads(body)["Message"]) for body in self._drain(self._inbox)]
        return Counter(message["alert_id"] for message in self.messages)

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return the bad events in the dead-letter queue, since the start."""
        self.bad_events += [json.loads(body) for body in self._drain(self.bad_events_url)]
        return self.bad_events

    def _drain(self, queue: str) -> list[str]:
        return drain(self.emulator.client("sqs"), queue)

    def checkpoints(self) -> dict[str, str]:
        """Return each lease's kcl_checkpoint."""
        items = self.emulator.client("dynamodb").scan(TableName=self.application, ConsistentRead=True)["Items"]
        return {item["leaseKey"]["S"]: item["checkpoint"]["S"] for item in items if "checkpoint" in item}


def _plain(value: Mapping[str, Any]) -> str | int:
    return int(value["N"]) if "N" in value else str(value["S"])
