"""`BadEventSink` over SQS and S3, one call after the other: what `dead_letters.letters` says, sent by boto3."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from dead_letters.letters import Moved, calls, letter, refused
from detector.adapters.aws_errors import translated
from detector.workers import Patience
from servicekit.errors import RetryableError
from storepulse.failures import BadEvent

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class SqsBadEvents:
    """A queue, and a bucket for large payloads."""

    def __init__(
        self, sqs: "SQSClient", queue_url: str, s3: "S3Client", bucket: str, patience: Patience | None = None
    ) -> None:
        """Send to `queue_url`, and large payloads to `bucket`; what was not taken is sent again with `patience`."""
        self._sqs, self._queue_url, self._s3, self._bucket = sqs, queue_url, s3, bucket
        self._patience = patience or Patience()

    def put(self, bad: Sequence[BadEvent]) -> None:
        """Send them; those that the queue took are not sent again when it refused others."""
        letters = [letter(event, self._bucket) for event in bad]
        for each in letters:
            if each.moved is not None:
                self._patience.keep_trying(partial(self._store, each.moved))
        for left in calls(each.body for each in letters):
            self._patience.keep_trying(partial(self._send, left))

    def _store(self, moved: Moved) -> None:
        with translated(f"keeping a large bad event in {self._bucket}"):
            self._s3.put_object(Bucket=self._bucket, Key=moved.key, Body=moved.payload)

    def _send(self, left: list[str]) -> None:
        """Send the messages `left`; those that the queue did not take stay in the list."""
        with translated("sending bad events"):
            reply = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(left)],
            )
        left[:] = refused(left, reply.get("Failed", []))
        if left:
            msg = f"{self._queue_url} refused {len(left)} bad events, such as: {reply['Failed'][0]['Code']}"
            raise RetryableError(msg)
