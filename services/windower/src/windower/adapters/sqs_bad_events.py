"""Bad events into the dead-letter queue; bytes that no message can hold go to S3, and the message says where."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from faust_kinesis.backoff import Backoff, Patience
from storepulse.failures import BadEvent

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES: Final = 10  # a SendMessageBatch call
MAX_BYTES: Final = 256 * 1024  # a call, and so a message
CONCURRENCY: Final = 8  # calls in flight
_encode: Final = msgspec.json.encode


class SqsBadEvents:
    """`windower.ports.BadEventSink` over an SQS queue and an S3 bucket."""

    def __init__(self, *, sqs: "SQSClient", s3: "S3Client", queue_url: str, bucket: str, patience: Patience) -> None:
        """Send to the queue at `queue_url`; large bytes go to `bucket` under ``bad-events/``."""
        self._sqs = sqs
        self._s3 = s3
        self._queue_url = queue_url
        self._bucket = bucket
        self._patience = patience
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def put(self, events: Sequence[BadEvent]) -> None:
        """See `windower.ports.BadEventSink`."""
        bodies = [_encode(event) for event in events]
        for position, body in enumerate(bodies):
            if len(body) > MAX_BYTES:
                bodies[position] = _encode(await self._store(events[position]))
        async with asyncio.TaskGroup() as group:
            for chunk in _chunks(bodies):
                group.create_task(self._send(chunk))

    async def _store(self, event: BadEvent) -> BadEvent:
        key = f"bad-events/{event.bad_event_id}"
        call = partial(self._s3.put_object, Bucket=self._bucket, Key=key, Body=event.raw())
        await self._patience.insist(call, "PutObject of a bad event")
        return event.moved_to(f"s3://{self._bucket}/{key}")

    async def _send(self, bodies: list[bytes]) -> None:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(n), "MessageBody": body.decode()} for n, body in enumerate(bodies)
        ]
        backoff = Backoff()
        while entries:
            async with self._slots:
                call = partial(self._sqs.send_message_batch, QueueUrl=self._queue_url, Entries=entries)
                reply = await self._patience.insist(call, "SendMessageBatch of bad events")
            failed = {failure["Id"] for failure in reply.get("Failed", ())}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if entries:
                await asyncio.sleep(backoff.next_s())


def _chunks(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Part `bodies` into calls that SQS takes."""
    chunk: list[bytes] = []
    size = 0
    for body in bodies:
        if chunk and (len(chunk) == MAX_ENTRIES or size + len(body) > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(body)
        size += len(body)
    if chunk:
        yield chunk
