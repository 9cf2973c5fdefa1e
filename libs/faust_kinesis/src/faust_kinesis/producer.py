"""The producer: PutRecords in full batches, resending only what failed, until Kinesis has it all."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError
from faust.transport import base
from faust.types import TP, RecordMetadata
from mode import Service

from faust_kinesis.backoff import Backoff, Patience
from faust_kinesis.errors import SendError, StoppedError, describe
from faust_kinesis.lease import partition_of
from faust_kinesis.outgoing import Outgoing, calls, chunks, outgoing
from kinesis_wire.client import put_records
from kinesis_wire.records import Entry, Result

if TYPE_CHECKING:
    from types_aiobotocore_kinesis import KinesisClient

RESENT_CODES = frozenset({"ProvisionedThroughputExceededException", "InternalFailure", "KMSThrottlingException"})
QUEUE = 10_000  # messages of `topic.send` that may wait before senders do
FLUSH_S = 10.0


class Producer(base.Producer):  # type: ignore[misc]  # faust has no types
    """Sends to streams; at least once, and in no promised order across a resend."""

    kinesis: "KinesisClient"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's own arguments
        """Take what Faust gives a producer; the rest is in the broker URL."""
        super().__init__(*args, **kwargs)
        self.options = self.transport.options
        self._queue: asyncio.Queue[tuple[str, Outgoing, asyncio.Future[RecordMetadata]]] = asyncio.Queue(QUEUE)
        self._unsent: set[asyncio.Future[RecordMetadata]] = set()
        self._failed = False  # something was refused for good: no commit may pass it
        self._clients = AsyncExitStack()
        self._puts = asyncio.Semaphore(self.options.puts)
        self._patience = Patience(sleep=self.sleep, stopping=lambda: self.should_stop, log=self.log)

    async def on_start(self) -> None:
        """Connect."""
        await super().on_start()
        self.kinesis = await self._clients.enter_async_context(self.transport.create_client("kinesis"))

    async def on_stop(self) -> None:
        """Disconnect; what Kinesis has not taken by now fails with StoppedError."""
        await self._clients.aclose()
        for delivered in list(self._unsent):
            if not delivered.done():
                delivered.set_exception(StoppedError("the producer has stopped"))

    # -- batches

    async def put_batch(self, stream: str, keys: Sequence[str], data: Sequence[bytes]) -> None:
        """Send each of `data` with the partition key at its place, and return when Kinesis has taken every one.

        They leave in chunks of 500 records or 5 MB, a few at a time (option `puts`); what a reply says failed is
        sent again, after a wait, and an outage is waited out. Order, also of one key, holds only while nothing
        is sent again. An error means that some may have been taken: send all again.

        Raises:
            ValueError: there are not as many keys as data (nothing was sent).
            RecordRefusedError: a record that Kinesis can never take (nothing was sent).
            SendError: Kinesis refused a record for good.
            StoppedError: the worker stopped before all were taken.
        """
        ready = list(calls(keys, data))
        try:
            async with asyncio.TaskGroup() as group:
                for call in ready:
                    group.create_task(self._put(stream, call))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _put(self, stream: str, entries: Sequence[Entry]) -> list[Result]:
        """Send at most one call's worth of `entries` until all are taken; return PutRecords' result for each."""
        backoff = Backoff()
        async with self._puts:
            results, failed = await self._call(stream, entries)
            while failed:
                await self._patience.wait(backoff, f"{stream}: PutRecords", SendError("throttled"))
                again, still = await self._call(stream, [entries[i] for i in failed])
                for i, result in zip(failed, again, strict=True):
                    results[i] = result
                failed = [failed[i] for i in still]
        return results

    async def _call(self, stream: str, entries: Sequence[Entry]) -> tuple[list[Result], list[int]]:
        """Return what became of each of `entries`, and the places of those to be sent again."""
        try:
            answer = await self._patience.insist(
                lambda: put_records(self.kinesis, stream, entries), f"{stream}: PutRecords"
            )
        except ClientError as error:
            raise SendError(describe(error)) from error
        if len(answer.records) != len(entries):
            msg = f"{stream}: PutRecords answered for {len(answer.records)} records of {len(entries)}"
            raise SendError(msg)
        is_clean = answer.failed_record_count == 0  # the usual case: no look at each of them
        return answer.records, [] if is_clean else _failed(stream, answer.records)

    # -- Faust's own sending

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, *_: object, **__: object
    ) -> Awaitable[RecordMetadata]:
        """Queue one record; waits while the queue is full. The future has its shard and sequence number.

        Faust's other arguments (partition, time, headers, transaction) have no meaning in Kinesis.
        """
        record = outgoing(key.decode() if key else uuid4().hex, value or b"")
        delivered: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        self._unsent.add(delivered)
        delivered.add_done_callback(self._unsent.discard)
        await self._queue.put((topic, record, delivered))
        return delivered

    async def send_and_wait(self, *args: Any, **kwargs: Any) -> RecordMetadata:  # noqa: ANN401 - as `send`
        """Send one record and return where Kinesis put it."""
        return await (await self.send(*args, **kwargs))

    async def flush(self) -> None:
        """Wait until what was sent before this call is with Kinesis, ten seconds at most (for Faust's rebalances)."""
        if not await self.settled(FLUSH_S):
            self.log.warning("%d records are not with Kinesis yet", len(self._unsent))

    async def settled(self, within_s: float) -> bool:
        """Tell whether all that was sent before this call, and ever, is with Kinesis within `within_s` seconds."""
        await self.buffer.flush()
        waiting = set(self._unsent)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=within_s)
        return not waiting and not self._failed

    @Service.task  # type: ignore[untyped-decorator]
    async def _send_queued(self) -> None:
        while not self.should_stop:
            items = [await self._queue.get()]
            await asyncio.sleep(self.linger_ms / 1000)
            while not self._queue.empty():
                items.append(self._queue.get_nowait())
            async with asyncio.TaskGroup() as group:
                for stream in dict.fromkeys(stream for stream, _, _ in items):
                    mine = [(record, delivered) for to, record, delivered in items if to == stream]
                    for chunk in chunks(mine, lambda item: item[0].size):
                        group.create_task(self._deliver(stream, chunk))

    async def _deliver(self, stream: str, items: Sequence[tuple[Outgoing, "asyncio.Future[RecordMetadata]"]]) -> None:
        try:
            results = await self._put(stream, [record.entry for record, _ in items])
        except Exception as error:
            self._failed = True
            for _, delivered in items:
                if not delivered.done():
                    delivered.set_exception(error)
            if not isinstance(error, StoppedError):
                raise
            return
        for (_, delivered), result in zip(items, results, strict=True):
            tp = TP(stream, partition_of(result.shard_id or ""))
            if not delivered.done():
                delivered.set_result(RecordMetadata(*tp, tp, int(result.sequence_number or 0)))

    async def create_topic(self, topic: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's signature
        """Do nothing: streams belong to the infrastructure."""

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Refuse: Kinesis picks the shard."""
        msg = "Kinesis picks the shard"
        raise NotImplementedError(msg)


def _failed(stream: str, results: Sequence[Result]) -> list[int]:
    """Return the places of the records to be sent again.

    Raises:
        SendError: Kinesis refused one for good.
    """
    again = [i for i, result in enumerate(results) if result.error_code]
    for i in again:
        if results[i].error_code not in RESENT_CODES:
            msg = f"{stream}: {results[i].error_code}: {results[i].error_message or ''}"
            raise SendError(msg)
    return again
