"""Looks at one emulated account from outside: what went in, what came of it, and what the exact answer is."""

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from storepulse.detection.alerts import Alert
from storepulse.failures import BadEvent, FailureKind
from tests.emulator import Emulator, wait_until
from tests.streams import Key, drain_bad_events, exact_counts, read

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputPaginateTypeDef

SOURCE, SINK = "ecommerce-raw-user-activity-stream-1", "ecommerce-raw-user-activity-stream-2"
ACCOUNT = "000000000000"
COUNTS_TABLE, ALERTS_TABLE = "storepulse-user-actions-local", "storepulse-alerts-local"
BAD_EVENTS, RAW_BUCKET = "storepulse-bad-events-local", f"storepulse-raw-local-{ACCOUNT}"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:storepulse-alerts-local"

SAMPLE = ("rees46_multicategory_2019-10-01.csv.gz", "demo_stragglers.csv")
BOTS = "demo_bots.json"
SAMPLE_ROWS, BAD_ROWS, LATE_ROWS = 13_884, 5, 2
"""Of the files of `SAMPLE`, replayed with the event clock: good rows, rows that are no events, late ones."""


class _Envelope(msgspec.Struct):
    message: str = msgspec.field(name="Message")


class Observed(ABC):
    """The chain's streams, tables, queues and topic in `emulator`."""

    def __init__(self, emulator: Emulator) -> None:
        """Look at nothing yet."""
        self.emulator = emulator
        self.messages: list[Alert] = []
        self.bad: dict[str, BadEvent] = {}
        self._mailbox = ""

    @abstractmethod
    def log_ends(self) -> str:
        """Return the end of what the services logged, for a failed assertion."""

    def subscribe(self) -> None:
        """Have the alerts delivered to a queue from now on."""
        sqs = self.emulator.client("sqs")
        self._mailbox = sqs.create_queue(QueueName="test-mailbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.emulator.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)

    def sent(self) -> list[bytes]:
        """Return every record in stream 1 that is no heartbeat."""
        return [data for data in read(self.emulator.client("kinesis"), SOURCE) if b'"heartbeat"' not in data]

    def counts(self) -> dict[Key, int]:
        """Return the final counts in DynamoDB."""
        found: dict[Key, int] = {}
        scan: ScanInputPaginateTypeDef = {"TableName": COUNTS_TABLE}
        for page in self.emulator.client("dynamodb").get_paginator("scan").paginate(**scan):
            for item in page["Items"]:
                if item["kind"]["S"] == "final":
                    user = item["pk"]["S"].removeprefix("userid#").rpartition("#appserver#")[0]
                    found[user, item["window_start"]["S"]] = int(item["num_actions"]["N"])
        return found

    def take_messages(self) -> list[tuple[Alert, float]]:
        """Take the alerts that SNS delivered, each with when (epoch seconds; the emulator's SNS stamps whole ones)."""
        sqs = self.emulator.client("sqs")
        taken: list[tuple[Alert, float]] = []
        while messages := sqs.receive_message(
            QueueUrl=self._mailbox, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
        ).get("Messages", []):
            for message in messages:
                envelope = msgspec.json.decode(message["Body"], type=_Envelope)
                alert = msgspec.json.decode(envelope.message, type=Alert)
                taken.append((alert, int(message["Attributes"]["SentTimestamp"]) / 1000))
                sqs.delete_message(QueueUrl=self._mailbox, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def collect(self) -> None:
        """Take the alerts and the bad events that have come."""
        self.messages.extend(alert for alert, _ in self.take_messages())
        sqs = self.emulator.client("sqs")
        url = sqs.get_queue_url(QueueName=BAD_EVENTS)["QueueUrl"]
        self.bad |= {event.bad_event_id: event for event in drain_bad_events(sqs, url)}

    def until_accounted(self, events: int, timeout_s: float = 120) -> None:
        """Wait until every one of `events` is counted, bad or late."""

        def closes() -> bool:
            self.collect()
            return sum(self.counts().values()) + len(self.bad) >= events

        try:
            wait_until(closes, timeout_s, "the accounting closes", 1.0)
        except TimeoutError as error:
            message = f"{events} in, {sum(self.counts().values())} counted, {len(self.bad)} bad\n{self.log_ends()}"
            raise AssertionError(message) from error

    def exact(self) -> dict[Key, int]:
        """Return the exact answer: what stream 1 holds, without the records reported late."""
        late = [event.raw() for event in self.bad.values() if event.kind is FailureKind.LATE]
        expected = Counter(exact_counts(self.sent()))
        expected.subtract(exact_counts(late))
        return {key: n for key, n in expected.items() if n}

    def alerts(self) -> dict[str, dict[str, str]]:
        """Return every stored alert by its id: user, status, window start."""
        found = {}
        for page in self.emulator.client("dynamodb").get_paginator("scan").paginate(TableName=ALERTS_TABLE):
            for item in page["Items"]:
                if "alert_id" in item and "status" in item:
                    names = ("user_id", "status", "window_start")
                    found[item["alert_id"]["S"]] = {name: item[name]["S"] for name in names}
        return found


def hold_to_the_exact_answer(chain: Observed, events: int, fast: set[str]) -> None:
    """Assert that each of `events` rows (sample and bots) ended in one place, and that just the `fast` were told of."""
    once = {msgspec.json.decode(data)["event_id"]: data for data in chain.sent()}
    assert len(once) == len(chain.sent()) == events - BAD_ROWS, "a row is in stream 1 twice, or not at all"
    kinds = Counter(event.kind for event in chain.bad.values())
    assert (kinds[FailureKind.LATE], kinds.total()) == (LATE_ROWS, BAD_ROWS + LATE_ROWS), [
        (event.kind, event.reason, event.raw()) for event in chain.bad.values()
    ]
    assert chain.counts() == chain.exact()
    assert sum(exact_counts(once.values()).values()) == events - BAD_ROWS
    assert {alert.user_id for alert in chain.messages} == fast
