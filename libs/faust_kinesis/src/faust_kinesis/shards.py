"""Reading one shard, from its checkpoint to its end."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mode import Service

from faust_kinesis.aggregation import batches
from faust_kinesis.backoff import Backoff, Patience
from faust_kinesis.errors import code_of, is_throttled, is_transient
from faust_kinesis.lease import Lease
from faust_kinesis.options import Options
from faust_kinesis.pacing import IdleTimer, Pacer
from faust_kinesis.records import RecordBatch
from kinesis_wire.client import get_page
from kinesis_wire.records import Page

if TYPE_CHECKING:
    from types_aiobotocore_kinesis import KinesisClient

LIMIT = 10_000  # records a GetRecords call may return at most
SHARD_GONE = "ResourceNotFoundException"
ITERATOR_EXPIRED = "ExpiredIteratorException"


class Arrival(NamedTuple):
    """A batch and its dense offset."""

    offset: int
    batch: RecordBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a reader is given by the consumer."""

    kinesis: "KinesisClient"
    options: Options
    room: Callable[[], float]  # bytes this reader may keep unread by the application
    poll_s: Callable[[], float]  # seconds between two polls at the tip
    arrived: Callable[[], None]  # call when there is something to take
    ended: Callable[[], None]  # call when the shard has ended
    is_listed: Callable[[Lease], Any]  # awaitable: the stream still has the shard


class ShardReader(Service):  # type: ignore[misc]  # mode has no types
    """Reads batches ahead of the application, within its room in memory.

    Kinesis sequence numbers are 56 digits long and sparse, while Faust finds the offset to commit by counting
    whole numbers; so batches get dense offsets, and `sequence_at` maps one back when it is committed.
    """

    def __init__(
        self, surroundings: Surroundings, lease: Lease, first: int, after: Sequence[asyncio.Event], **service: object
    ) -> None:
        """Read `lease`'s shard once all of `after` (its parents' ends) are set; the first batch has offset `first`."""
        self.lease_key = lease.key
        self.first = first
        self.position = first
        self.end = asyncio.Event()
        self.ended_at = 0.0
        self.behind_ms = 0
        self.polled_at = time.monotonic()
        self._lease = lease
        self._with = surroundings
        self._after = after
        self._base = first
        self._last = lease.sequence  # sequence number to go on after
        self._sequences: deque[str] = deque()  # of offsets _base .. position - 1
        self._arrivals: deque[int | None] = deque()  # of the same offsets: of the first record of each
        self._queue: deque[Arrival] = deque()
        self._weights: dict[int, int] = {}
        self._pending = 0
        self._drained = asyncio.Event()
        self._backoff = Backoff(first_s=0.25)
        self._pacer = Pacer(surroundings.options.reads_per_s)
        self._idle = IdleTimer(surroundings.options.idle_s)
        super().__init__(**service)
        self._patience = Patience(sleep=self.sleep, stopping=lambda: self.should_stop, log=self.log)

    # -- what the consumer asks

    @property
    def has_arrivals(self) -> bool:
        """There is a batch to take."""
        return bool(self._queue)

    def take(self) -> Arrival | None:
        """Return the next batch, None when there is none yet."""
        return self._queue.popleft() if self._queue else None

    def delivered(self, offset: int) -> None:
        """The application has the batch at `offset`: it no longer counts as read ahead."""
        self._pending -= self._weights.pop(offset, 0)
        self._drained.set()

    def sequence_at(self, offset: int) -> str:
        """Return the last sequence number of the batch at `offset`, which no commit has passed yet."""
        return self._sequences[offset - self._base]

    def forget(self, committed: int) -> None:
        """Batches before offset `committed` can no longer be asked for."""
        while self._base < committed:
            self._sequences.popleft()
            self._arrivals.popleft()
            self._base += 1

    def unprocessed(self, processed: int) -> int:
        """Return how many batches were read that come after offset `processed` (-1: none was processed)."""
        return self.position - max(processed + 1, self.first)

    def arrived_at(self, processed: int) -> int | None:
        """Return when Kinesis took the first record of the batch after offset `processed`, which is read already."""
        return self._arrivals[max(processed + 1, self.first) - self._base]

    def is_quiet(self) -> bool:
        """Tell whether polls have come back empty, with nothing behind them, for the idle time."""
        return self._idle.is_over(time.monotonic())

    def millis_behind(self) -> int:
        """Return how far behind the tip the shard is, at least: grows while no poll succeeds."""
        if self.end.is_set():
            return 0
        silence_ms = int((time.monotonic() - self.polled_at) * 1000)
        return self.behind_ms + (silence_ms if silence_ms > max(1000, 2000 * self._with.poll_s()) else 0)

    # -- reading

    @Service.task  # type: ignore[untyped-decorator]
    async def _read(self) -> None:
        for parent in self._after:
            await parent.wait()
        iterator = await self._find()
        while iterator is not None and not self.should_stop:
            await self._wait_for_room()
            await self.sleep(self._pacer.wait_s(time.monotonic()))
            iterator = await self._step(iterator)
        if not self.should_stop:
            self._finish()

    async def _step(self, iterator: str) -> str | None:
        """Call GetRecords once; return the iterator to go on with, None at the end of the shard."""
        try:
            page = await get_page(self._with.kinesis, iterator, LIMIT)
        except Exception as error:  # noqa: BLE001 - sorted out one line on
            return await self._recover(iterator, error)
        self._backoff.reset()
        self._accept(page)
        if page.next_shard_iterator is not None and not (page.records and page.millis_behind_latest):
            await self.sleep(self._with.poll_s() * random.uniform(1, 1.25))  # noqa: S311 - spreads the polls
        return page.next_shard_iterator

    async def _recover(self, iterator: str, error: Exception) -> str | None:
        if not is_throttled(error):
            self._idle.restart()
        if code_of(error) in (ITERATOR_EXPIRED, SHARD_GONE):
            self.log.info("%s: GetRecords: %s, a new iterator is needed", self.lease_key, code_of(error))
            return await self._find()
        if not is_transient(error):
            raise error
        await self._patience.wait(self._backoff, f"{self.lease_key}: GetRecords", error)
        return iterator

    async def _find(self) -> str | None:
        """Return an iterator at the next record to read; None when the stream has the shard no more."""
        try:
            return await self._patience.insist(self._iterator, f"{self.lease_key}: GetShardIterator")
        except Exception as error:
            if code_of(error) != SHARD_GONE or await self._is_listed():
                raise
            self.log.error("%s: the shard left the stream before it was read to its end", self.lease_key)  # noqa: TRY400
            return None

    def _accept(self, page: Page) -> None:
        self.polled_at = time.monotonic()
        self.behind_ms = page.millis_behind_latest
        self._idle.polled(self.polled_at, empty=not (page.records or page.millis_behind_latest))
        for batch in batches(self._lease.stream, self._lease.shard_id, page.records, self._with.options.batch):
            self._append(batch)
        if self._queue:
            self._with.arrived()

    def _append(self, batch: RecordBatch) -> None:
        self._weights[self.position] = weight = batch.weigh()
        self._pending += weight
        self._last = batch.last_sequence_number
        self._sequences.append(self._last)
        self._arrivals.append(batch.records[0].arrived_ms)
        self._queue.append(Arrival(self.position, batch))
        self.position += 1

    async def _wait_for_room(self) -> None:
        while self._pending and self._pending >= self._with.room():
            self._drained.clear()
            await self._drained.wait()

    def _finish(self) -> None:
        self.ended_at = time.monotonic()
        self.behind_ms = 0
        self.end.set()
        self._with.ended()

    async def _is_listed(self) -> Any:  # noqa: ANN401 - a bool, from an awaitable of any kind
        return await self._patience.insist(lambda: self._with.is_listed(self._lease), f"{self.lease_key}: ListShards")

    async def _iterator(self) -> str:
        reply = await self._with.kinesis.get_shard_iterator(
            StreamName=self._lease.stream, ShardId=self._lease.shard_id, **self._start()
        )
        return str(reply["ShardIterator"])

    def _start(self) -> Any:  # noqa: ANN401 - one of three shapes of keyword arguments
        after = self._last
        if after:
            return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        if self._lease.start:
            moment = datetime.fromtimestamp(int(self._lease.start) / 1000, UTC)
            return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        return {"ShardIteratorType": "TRIM_HORIZON"}
