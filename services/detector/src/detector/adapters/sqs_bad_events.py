"""`BadEventSink` on an SQS queue, and an S3 bucket for what is too large for a message."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from detector.adapters.aws_errors import translated
from detector.workers import Patience
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

    def __init__(
        self, sqs: "SQSClient", queue_url: str, s3: "S3Client", bucket: str, patience: Patience | None = None
    ) -> None:
        """Send to `queue_url`, and large payloads to `bucket`; what was not taken is sent again with `patience`."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._s3 = s3
        self._bucket = bucket
        self._patience = patience or Patience()

    def put(self, bad: Sequence[BadEvent]) -> None:
        """Send them; those that the queue took are not sent again when it refused others."""
        left = [self._patience.keep_trying(partial(self._body, event)) for event in bad]
        self._patience.keep_trying(lambda: self._send_all(left))

    def _send_all(self, left: list[str]) -> None:
        """Send the messages `left`; those that the queue did not take stay in the list."""
        while left:
            batch = next(_batches(left))
            refused = self._send(batch)
            left[:] = [*left[len(batch) :], *refused]
            if len(refused) == len(batch):
                msg = f"{self._queue_url} refused {len(refused)} bad events"
                raise RetryableError(msg)

    def _body(self, event: BadEvent) -> str:
        body = _to_json(event)
        if len(body) <= MAX_BYTES:
            return body
        key = f"bad-events/{event.bad_event_id}"
        with translated(f"keeping a large bad event in {self._bucket}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=event.raw())
        return _to_json(event.moved_to(f"s3://{self._bucket}/{key}"))

    def _send(self, bodies: Sequence[str]) -> list[str]:
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
