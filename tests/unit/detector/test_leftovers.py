"""What AWS did not take of a request is sent again, and only that."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.connection.base import Connection
from pynamodb.exceptions import PutError

from detector.adapters.dynamo_counts import DynamoCounts
from detector.adapters.sqs_bad_events import SqsBadEvents
from detector.workers import Patience
from servicekit.clock import ManualClock
from servicekit.errors import PoisonRecordError, RetryableError
from storepulse.failures import BadEvent, BadPayload, FailureKind
from tests.unit.detector.builders import count

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Throttled(Connection):
    """A DynamoDB that takes a few items of each request, or says an error."""

    def __init__(self, takes: Sequence[int | str]) -> None:
        super().__init__(region="us-east-1")
        self._takes = list(takes)
        self.requests: list[int] = []
        self.taken: list[str] = []

    def batch_write_item(  # type: ignore[override]  # what the store uses of it
        self, table_name: str, put_items: list[dict[str, Any]]
    ) -> dict[str, Any]:
        self.requests.append(len(put_items))
        most = self._takes.pop(0) if self._takes else 25
        if isinstance(most, str):
            cause = ClientError({"Error": {"Code": most, "Message": "no"}}, "BatchWriteItem")
            msg = "refused"
            raise PutError(msg, cause)
        self.taken += [item["pk"]["S"] for item in put_items[:most]]
        return {"UnprocessedItems": {table_name: [{"PutRequest": {"Item": item}} for item in put_items[most:]]}}


def store(connection: Connection, pauses: list[float]) -> DynamoCounts:
    """Return counts on that connection, which note their pauses."""
    patience = Patience(pause=pauses.append)
    return DynamoCounts(connection, "t", ManualClock(), app_server="1", ttl=timedelta(1), patience=patience)


def test_unprocessed_items_are_sent_again_after_a_pause_and_only_those() -> None:
    dynamo, pauses = Throttled([3, 0, 4]), list[float]()
    store(dynamo, pauses).put_finals([count(f"u{n}") for n in range(10)])
    assert dynamo.requests == [10, 7, 7, 3]
    assert len(dynamo.taken) == len(set(dynamo.taken)) == 10
    assert len(pauses) == 3


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError"]
)
def test_a_throttled_table_is_waited_for(code: str) -> None:
    dynamo, pauses = Throttled([code, code]), list[float]()
    store(dynamo, pauses).put_finals([count()])
    assert (dynamo.requests, len(pauses)) == ([1, 1, 1], 2)


def test_a_request_that_is_wrong_in_itself_is_not_repeated() -> None:
    dynamo, pauses = Throttled(["ValidationException"]), list[float]()
    with pytest.raises(PoisonRecordError):
        store(dynamo, pauses).put_finals([count()])
    assert pauses == []


class PickyQueue:
    """An SQS that refuses some entries of each request, or does not answer."""

    def __init__(self, refuses: Sequence[int | None]) -> None:
        self._refuses = list(refuses)
        self.sent: list[str] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        refused = self._refuses.pop(0) if self._refuses else 0
        if refused is None:
            raise ReadTimeoutError(endpoint_url=QueueUrl)
        self.sent += [entry["MessageBody"] for entry in Entries[refused:]]
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in Entries[:refused]]}


def put(queue: PickyQueue, events: int, *, give_up: bool = False) -> None:
    """Send that many bad events."""
    bad = [
        BadEvent.of(
            BadPayload(FailureKind.MALFORMED, "?"),
            b"x",
            service="detector",
            stream="s",
            shard_id="0",
            sequence_number=str(n),
            failed_at="2026-11-20T10:00:00.000Z",
        )
        for n in range(events)
    ]
    patience = Patience(pause=lambda _: None, give_up=lambda: give_up)
    SqsBadEvents(cast("SQSClient", queue), "http://queue", cast("S3Client", None), "bucket", patience).put(bad)


def test_bad_events_that_the_queue_refused_are_sent_again_and_only_those() -> None:
    queue = PickyQueue([4, 1])
    put(queue, 12)
    assert len(queue.sent) == len(set(queue.sent)) == 12


@pytest.mark.parametrize("refuses", [[10, 3], [0, None], [None, 10]])
def test_a_queue_that_takes_nothing_is_waited_for_and_gets_nothing_twice(refuses: list[int | None]) -> None:
    queue = PickyQueue(refuses)
    put(queue, 12)
    assert len(queue.sent) == len(set(queue.sent)) == 12


def test_giving_up_leaves_the_rest_undone() -> None:
    with pytest.raises(RetryableError):
        put(PickyQueue([None]), 12, give_up=True)
