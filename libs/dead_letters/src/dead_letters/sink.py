"""The asynchronous sink: an SQS queue, and an S3 bucket for payloads that no message can hold."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from dead_letters.errors import GivenUpError
from dead_letters.letters import Moved, calls, letter, refused
from dead_letters.patience import Patience
from servicekit.errors import RetryableError
from storepulse.failures import BadEvent

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_sqs.client import SQSClient

CONCURRENCY: Final = 8  # calls in flight, of all `put`s together
T = TypeVar("T")


class DeadLetters:
    """Keeps bad events, one message each. Nothing is asked of AWS before it is needed."""

    def __init__(
        self, *, sqs: "SQSClient", s3: "S3Client", queue: str, bucket: str, patience: Patience | None = None
    ) -> None:
        """Send to the queue called `queue`; large payloads go to `bucket` under ``bad-events/``."""
        self._sqs, self._s3, self._queue, self._bucket = sqs, s3, queue, bucket
        self._patience = patience or Patience()
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._url = ""

    async def put(self, events: Sequence[BadEvent]) -> None:
        """Return when every event is stored safely, whole; one may come twice, with the same id.

        Raises:
            RefusedError: SQS or S3 never will; some may have been stored.
            GivenUpError: patience is at its end; some may have been stored.
        """
        try:
            async with asyncio.timeout(self._patience.give_up_after_s):
                await self._put(events)
        except TimeoutError as error:
            msg = f"the queue {self._queue} has not taken bad events for {self._patience.give_up_after_s:.0f} s"
            raise GivenUpError(msg) from error

    async def find_queue(self) -> str:
        """Return the queue's URL, asked for once.

        Raises:
            RefusedError: there is no such queue, or it may not be used.
            GivenUpError: patience is at its end.
        """
        if not self._url:
            found = await self._patience.insist(
                lambda: self._sqs.get_queue_url(QueueName=self._queue), f"looking for the queue {self._queue}"
            )
            self._url = found["QueueUrl"]
        return self._url

    async def _put(self, events: Sequence[BadEvent]) -> None:
        letters = [letter(event, self._bucket) for event in events]
        await self._each(self._store, [each.moved for each in letters if each.moved is not None])
        await self._each(self._send, calls(each.body for each in letters))

    async def _each(self, act: Callable[[T], Awaitable[None]], items: Iterable[T]) -> None:
        """Do `act` for each of `items`, a few at the same time."""

        async def in_turn(item: T) -> None:
            async with self._slots:
                await act(item)

        try:
            async with asyncio.TaskGroup() as group:
                for item in items:
                    group.create_task(in_turn(item))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _store(self, moved: Moved) -> None:
        await self._patience.insist(
            lambda: self._s3.put_object(Bucket=self._bucket, Key=moved.key, Body=moved.payload),
            f"keeping a large bad event in {self._bucket}",
        )

    async def _send(self, bodies: list[str]) -> None:
        """Send one call's worth; only what SQS failed is sent again."""
        url, left = await self.find_queue(), bodies

        async def send() -> None:
            nonlocal left
            reply = await self._sqs.send_message_batch(
                QueueUrl=url, Entries=[{"Id": str(place), "MessageBody": body} for place, body in enumerate(left)]
            )
            failed = reply.get("Failed", [])
            left = refused(left, failed)
            if left:
                msg = f"{len(left)} refused, such as: {failed[0]['Code']} {failed[0].get('Message', '')}"
                raise RetryableError(msg)

        await self._patience.insist(send, f"sending bad events to {self._queue}")
