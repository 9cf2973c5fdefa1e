"""The `BadEvents` port over SQS; what does not fit into a message is kept in S3, and the message says where."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from producer.errors import DeliveryError
from servicekit.logs import get_logger
from storepulse.failures import BadEvent

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PREFIX: Final = "bad-events/"
MAX_BYTES: Final = 256 * 1024
_MAX_BATCH: Final = 10
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_encode: Final = msgspec.json.Encoder().encode
_log = get_logger(__name__)
T = TypeVar("T")


class SqsBadEvents:
    """A queue, and a bucket for large payloads."""

    def __init__(self, sqs: "SQSClient", s3: "S3Client", *, queue: str, bucket: str, give_up_after_s: float) -> None:
        """Send to the queue called `queue`; keep large payloads in `bucket`; try for `give_up_after_s` seconds."""
        self._sqs, self._s3, self._queue, self._bucket = sqs, s3, queue, bucket
        self._give_up_after_s = give_up_after_s
        self._url = ""

    async def add(self, bad: Sequence[BadEvent]) -> None:
        """See the port."""
        try:
            async with asyncio.timeout(self._give_up_after_s):
                bodies = [await self._body(each) for each in bad]
                for batch in _batches(bodies):
                    await self._send(batch)
        except TimeoutError as error:
            msg = f"the bad-events queue {self._queue} has taken nothing for {self._give_up_after_s:.0f} s"
            raise DeliveryError(msg) from error

    async def _body(self, bad: BadEvent) -> bytes:
        body = _encode(bad)
        if len(body) <= MAX_BYTES:
            return body
        key = f"{PREFIX}producer/{bad.bad_event_id}.json"
        await self._persist(lambda: self._s3.put_object(Bucket=self._bucket, Key=key, Body=body))
        told = f"{bad.reason}; whole in s3://{self._bucket}/{key}"
        return _encode(msgspec.structs.replace(bad, payload="", reason=told))

    async def _send(self, bodies: Sequence[bytes]) -> None:
        left = [_entry(number, body) for number, body in enumerate(bodies)]
        pause = _FIRST_PAUSE_S
        while left := await self._send_once(left):
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _send_once(
        self, entries: "list[SendMessageBatchRequestEntryTypeDef]"
    ) -> "list[SendMessageBatchRequestEntryTypeDef]":
        """Send `entries` and return those that the queue refused for now."""
        if not self._url:
            found = await self._persist(lambda: self._sqs.get_queue_url(QueueName=self._queue))
            self._url = found["QueueUrl"]
        reply = await self._persist(lambda: self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries))
        failed = {each["Id"] for each in reply.get("Failed", [])}
        return [entry for entry in entries if entry["Id"] in failed]

    async def _persist(self, send: Callable[[], Awaitable[T]]) -> T:
        """Return what `send` returns, trying again until it does; the time limit is the caller's."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await send()
            except ClientError as error:
                if _is_final(error):
                    msg = f"a bad event cannot be kept (queue {self._queue}, bucket {self._bucket}): {error}"
                    raise DeliveryError(msg) from error
                reason = str(error)
            except (BotoCoreError, OSError) as error:
                reason = str(error)
            _log.warning("bad_event_not_sent", reason=reason[:300])
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


def _entry(number: int, body: bytes) -> "SendMessageBatchRequestEntryTypeDef":
    return {"Id": str(number), "MessageBody": body.decode()}


def _is_final(error: ClientError) -> bool:
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    code = error.response.get("Error", {}).get("Code", "")
    throttled = "Throttl" in code or code == "SlowDown"
    return status < 500 and status != 429 and not throttled  # noqa: PLR2004 - HTTP's numbers


def _batches(bodies: Sequence[bytes]) -> list[list[bytes]]:
    """Return `bodies` in batches that a request takes."""
    batches: list[list[bytes]] = []
    size = MAX_BYTES
    for body in bodies:
        size += len(body)
        if size > MAX_BYTES or len(batches[-1]) == _MAX_BATCH:
            batches.append([])
            size = len(body)
        batches[-1].append(body)
    return batches
