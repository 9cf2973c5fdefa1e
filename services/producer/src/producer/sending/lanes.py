"""One lane for each shard: a queue, and one request at a time.

Windows go by event time with a small delay, so what a shard must keep is the order of event times. A lane puts its
records in the order they came, and puts nothing before all of the request before it is accepted, retries included. So
records can change places only within one request, when some of it is refused; and with the event clock a request
spans no more event time than the watermark's delay, so even then no record becomes late. A heartbeat is a request of
its own, after all rows before it. A partition key belongs to one shard, so the order within a key follows.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5
from typing import Final, NamedTuple

from producer.ports import Entry, Put, Shard
from producer.sending.delivery import Accepted, Delivery
from servicekit.clock import Clock

MAX_RECORDS: Final = 500
MAX_BYTES: Final = 5 * 1024 * 1024 - 64 * 1024
ROOM: Final = 2 * MAX_RECORDS
"""How many records wait in a lane before its feeder has to."""
_KNOWN_KEYS: Final = 65_536


class Queued(NamedTuple):
    """A record in a lane."""

    entry: Entry
    stamp: int  # txn_timestamp, ms since the epoch


class _Floor(NamedTuple):
    """Where a request's records are at the earliest, if they are in the stream."""

    last_row: int
    sequence_number: str
    dispatched: datetime


@dataclass
class Lane:
    """The records on their way into one shard."""

    shard: Shard
    sequence_number: str = ""  # of the latest accepted record
    highest: int = 0  # stamp that it has shown, or will have
    resumed_at: str = ""  # position of a resumed replay; the rows behind it may not have been passed yet
    accepted_rows: int = 0
    waiting: deque[Queued] = field(default_factory=deque)
    sending: list[Queued] = field(default_factory=list)
    floors: deque[_Floor] = field(default_factory=deque)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    emptied: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, queued: Queued) -> None:
        """Put a record at the end."""
        self.waiting.append(queued)
        self.filled.set()

    def is_late(self, stamp: int, *, window: int, delay: int) -> bool:
        """Take note of the next row's stamp, and say whether its window has ended by what the shard has shown."""
        if stamp > self.highest:
            self.highest = stamp
            return False
        watermark = self.highest - delay
        return stamp <= watermark and stamp - stamp % window + window - 1 <= watermark

    def is_busy(self) -> bool:
        """Say whether a record is not yet accepted."""
        return bool(self.waiting or self.sending)

    def lowest(self) -> int | None:
        """Return the first row that is not yet accepted."""
        return next((queued.entry.row for queued in (*self.sending, *self.waiting) if queued.entry.row >= 0), None)

    def take(self, most: int, span: int | None) -> list[Queued]:
        """Return the next request's records: one heartbeat, or rows up to the limits."""
        taken: list[Queued] = []
        size, low, high = 0, 0, 0
        while self.waiting and len(taken) < most:
            queued = self.waiting[0]
            entry, stamp = queued
            if not entry.event_id:
                if taken:
                    break
                self.waiting.popleft()
                if not self.waiting or self.waiting[0].entry.event_id:  # else a later heartbeat says it all
                    taken.append(queued)
                    break
                continue
            low, high = (min(low, stamp), max(high, stamp)) if taken else (stamp, stamp)
            size += len(entry.payload) + 4 * len(entry.key)
            if taken and (size > MAX_BYTES or (span is not None and high - low > span)):
                break
            taken.append(self.waiting.popleft())
        return taken

    def floor(self, confirmed: int) -> _Floor | None:
        """Return the floor of the first request with a row that is not `confirmed`, and forget those before it."""
        while self.floors and self.floors[0].last_row < confirmed:
            self.floors.popleft()
        return self.floors[0] if self.floors else None


class Lanes:
    """All lanes of a stream."""

    def __init__(
        self,
        shards: Iterable[Shard],
        delivery: Delivery,
        clock: Clock,
        *,
        most: int = MAX_RECORDS,
        span: int | None = None,
        accepted: Accepted,
        positions: Mapping[str, str] | None = None,
        highest: int = 0,
        resumed_since: datetime | None = None,
    ) -> None:
        """Make a lane for each of `shards`.

        Args:
            shards: the open ones.
            delivery: what carries a request out.
            clock: for the time a request leaves.
            most: the records of a request.
            span: the event time, in milliseconds, between its rows; None: any.
            accepted: told of the records that Kinesis takes.
            positions: sequence numbers of the shards, known from before.
            highest: the latest stamp in the stream.
            resumed_since: of a resumed replay, the time for shards without a position.
        """
        self._delivery, self._clock, self._most, self._span = delivery, clock, most, span
        self._accepted, self._highest, self._resumed_since = accepted, highest, resumed_since
        self.resharded = False
        self.lanes: list[Lane] = []
        self._starts: list[int] = []
        self._of_key: dict[str, Lane] = {}
        self.replace(shards, positions or {})

    def replace(self, shards: Iterable[Shard], positions: Mapping[str, str] | None = None) -> None:
        """Make lanes for other shards; none may be busy."""
        before = dict(positions or {}) | {lane.shard.shard_id: lane.sequence_number for lane in self.lanes}
        highest = max([self._highest, *(lane.highest for lane in self.lanes)])
        in_order = sorted(shards, key=lambda shard: shard.start)
        resumed_at = {lane.shard.shard_id: lane.resumed_at for lane in self.lanes} or dict(positions or {})
        self.lanes = [
            Lane(shard, before.get(shard.shard_id, ""), highest, resumed_at.get(shard.shard_id, ""))
            for shard in in_order
        ]
        self._starts = [lane.shard.start for lane in self.lanes]
        self._of_key.clear()
        self.resharded = False

    def lane_of(self, key: str) -> Lane:
        """Return the lane of a partition key."""
        lane = self._of_key.get(key)
        if lane is None:
            if len(self._of_key) >= _KNOWN_KEYS:
                self._of_key.clear()
            position = int.from_bytes(md5(key.encode(), usedforsecurity=False).digest(), "big")
            lane = self._of_key[key] = self.lanes[max(bisect_right(self._starts, position) - 1, 0)]
        return lane

    def beat(self, payload: bytes, stamp: int) -> None:
        """Put a heartbeat at the end of every lane."""
        for lane in self.lanes:
            lane.add(Queued(Entry(payload, "heartbeat", str(lane.shard.start)), stamp))
            lane.highest = max(lane.highest, stamp)

    async def room(self, lane: Lane) -> None:
        """Wait until `lane` can take more."""
        while len(lane.waiting) >= ROOM:
            lane.emptied.clear()
            await lane.emptied.wait()

    async def idle(self) -> None:
        """Wait until every record is accepted."""
        for lane in self.lanes:
            while lane.is_busy():
                lane.emptied.clear()
                await lane.emptied.wait()

    def lowest(self) -> int | None:
        """Return the first row that is not yet accepted, over all lanes."""
        return min((low for lane in self.lanes if (low := lane.lowest()) is not None), default=None)

    def floor(self, confirmed: int) -> tuple[dict[str, str], datetime]:
        """Return positions behind which all rows from `confirmed` on are, and the time for shards without one.

        A resumed replay keeps a lane's first position until more rows than a request holds are accepted: before, rows
        that were there already may still be to come, with heartbeats and refused rows of their request behind them.
        """
        positions, since = {}, [self._clock.now()]
        for lane in self.lanes:
            floor, position = lane.floor(confirmed), lane.sequence_number
            if floor is not None:
                position = floor.sequence_number
                since.append(floor.dispatched)
            if self._resumed_since is not None and lane.accepted_rows <= MAX_RECORDS:
                position = lane.resumed_at
                since.append(self._resumed_since)
            positions[lane.shard.shard_id] = position
        return {shard: position for shard, position in positions.items() if position}, min(since)

    async def run(self, lane: Lane) -> None:
        """Send what comes into `lane`, for ever."""
        while True:
            lane.sending = lane.take(self._most, self._span)
            if not lane.sending:
                lane.emptied.set()
                lane.filled.clear()
                await lane.filled.wait()
                continue
            lane.emptied.set()
            await self._send(lane)
            lane.sending = []

    async def _send(self, lane: Lane) -> None:
        entries = [queued.entry for queued in lane.sending]
        lane.floors.append(_Floor(entries[-1].row, lane.sequence_number, self._clock.now()))
        floor = {lane.shard.shard_id: lane.sequence_number} if lane.sequence_number else {}

        def accepted(taken: Sequence[tuple[Entry, Put]]) -> None:
            own = [put.sequence_number for _, put in taken if put.shard_id == lane.shard.shard_id]
            lane.sequence_number = own[-1] if own else lane.sequence_number
            lane.accepted_rows += len(taken) if entries[0].event_id else 0
            self.resharded |= len(own) < len(taken)
            self._accepted(taken)

        await self._delivery.deliver(entries, lambda: floor, accepted)
