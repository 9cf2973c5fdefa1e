"""What the chain made of the events: counts in DynamoDB, bad events in the dead-letter queue."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from storepulse.failures import BadEvent, FailureKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from local.demo.witness import Key


class Ledger:
    """Reads the two places where an event can end."""

    def __init__(self, dynamodb: "DynamoDBClient", sqs: "SQSClient", *, counts_table: str, bad_events_url: str) -> None:
        """Know nothing yet; `read` looks."""
        self._dynamodb = dynamodb
        self._sqs = sqs
        self._counts_table = counts_table
        self._bad_events_url = bad_events_url
        self.counts: dict[Key, int] = {}
        self.bad: dict[str, BadEvent] = {}

    def read(self) -> None:
        """Look at the counts anew, and take the bad events that came."""
        self.counts = {
            (_user(item["pk"]["S"]), item["window_start"]["S"]): int(item["num_actions"]["N"])
            for item in self._items()
            if item["kind"]["S"] == "final"
        }
        url = self._bad_events_url
        while messages := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                event = msgspec.json.decode(message["Body"], type=BadEvent)
                self.bad[event.bad_event_id] = event
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _items(self) -> Iterator[dict[str, Any]]:
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._counts_table):
            yield from page["Items"]

    @property
    def counted(self) -> int:
        """Events in the counts of windows that have fired."""
        return sum(self.counts.values())

    @property
    def late(self) -> int:
        """Events that came after their window had fired."""
        return sum(event.kind is FailureKind.LATE for event in self.bad.values())

    @property
    def malformed(self) -> int:
        """Events set aside for any other reason."""
        return len(self.bad) - self.late


def _user(partition_key: str) -> str:
    return partition_key.removeprefix("userid#").rpartition("#appserver#")[0]
