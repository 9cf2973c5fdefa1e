"""`BadEventSink` on an SQS queue, and an S3 bucket for what is too large for a message."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from detector.adapters.aws_errors import translated
from servicekit.errors import RetryableError
from storepulse.failures import BadEvent

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 256 * 1024  # of a message, and of a batch of them


class SqsBadEvents:
    """One message a bad event, its JSON as body.

    The payload of an event that would not fit goes to S3 instead, under ``bad-events/{bad_event_id}``; the message then
    has its address as `payload_url`. Nothing is cut off.
    """

    def __init__(self, sqs: "SQSClient", queue_url: str, s3: "S3Client", bucket: str) -> None:
        """Send to `queue_url`, and large payloads to `bucket`."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._s3 = s3
        self._bucket = bucket

    def put(self, bad: Sequence[BadEvent]) -> None:
        """Send them; when the queue refused some, only those are sent by the call that follows at once."""
        left = [self._body(event) for event in bad]
        while left:
            refused = [body for batch in _batches(left) for body in self._send(batch)]
            if len(refused) == len(left):
                msg = f"{self._queue_url} refused {len(refused)} bad events"
                raise RetryableError(msg)
            left = refused

    def _body(self, event: BadEvent) -> str:
        body = _to_json(event)
        if len(body) <= MAX_BYTES:
            return body
        key = f"bad-events/{event.bad_event_id}"
        with translated(f"keeping a large bad event in {self._bucket}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=event.raw())
        return _to_json(event.moved_to(f"s3://{self._bucket}/{key}"))

    def _send(self, bodies: Sequence[str]) -> Iterable[str]:
        with translated("sending bad events"):
            reply = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)],
            )
        return [bodies[int(failure["Id"])] for failure in reply.get("Failed", [])]


def _to_json(event: BadEvent) -> str:
    """Return ASCII: SQS refuses some characters that JSON may hold, and then bytes are characters."""
    return json.dumps(msgspec.to_builtins(event), separators=(",", ":"))


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == MAX_ENTRIES or size + len(body) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)
    if batch:
        yield batch
