"""What happens to a batch of records. Knows neither Faust nor AWS; time comes with the records and from a clock."""

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final, Generic, TypeVar

from servicekit.clock import Clock
from storepulse.activity.actions import Actions, decode_actions
from storepulse.activity.counts import WindowCount
from storepulse.activity.future_timestamps import refuse_far_ahead
from storepulse.failures import BadEvent, BadPayload, FailureKind
from storepulse.instants import format_instant, from_datetime
from storepulse.streaming.aggregation import BatchOutcome, Crossing, Fired, TumblingCount
from storepulse.streaming.pending import PendingBatches
from storepulse.streaming.watermarks import BEGINNING
from storepulse.streaming.windows import Window
from windower.metrics import WindowerMetrics
from windower.ports import BadEventSink, CountSink
from windower.progress import Progress

Token = TypeVar("Token")
_NEVER: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[Token]):
    """Records of one shard, in order; `token` acknowledges them."""

    stream: str
    shard_id: str
    payloads: Sequence[bytes]
    sequence_numbers: Sequence[str]  # one a record; KPL records of one Kinesis record share theirs
    arrivals: Sequence[int | None] = ()  # one a record, milliseconds since the epoch; empty when there are none
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowing:
    """How to count; spans in milliseconds."""

    size: int
    delay: int
    limit: int
    max_ahead: int = 300_000  # by which event time may be ahead of a record's arrival
    max_replay_ahead: int = 366 * 86_400_000  # the same, of a replay that says by how much it stamps ahead


class WindowUserActions(Generic[Token]):
    """Counts actions per user and window, for one assignment of shards.

    A new assignment takes a new instance: everything unacknowledged comes again.
    """

    def __init__(
        self,
        restored: Mapping[str, Progress],
        *,
        windowing: Windowing,
        counts: CountSink,
        bad_events: BadEventSink,
        metrics: WindowerMetrics,
        clock: Clock,
    ) -> None:
        """Go on from the progress `restored` for each shard id."""
        self._windowing = windowing
        self._counts = counts
        self._bad_events = bad_events
        self._metrics = metrics
        self._clock = clock
        self._restored = dict(restored)
        self._decided = {shard: progress.decided for shard, progress in restored.items()}
        self._pending: PendingBatches[Token] = PendingBatches()
        self._windows: TumblingCount[str] = TumblingCount(
            restored,
            size=windowing.size,
            delay=windowing.delay,
            limit=windowing.limit,
            restored={shard: progress.watermark for shard, progress in restored.items()},
        )

    async def take(self, batch: Batch[Token], *, active: Collection[str]) -> list[Token]:
        """Count a batch, deliver what it completes, and return the tokens of the batches that are done.

        Args:
            batch: the next of its shard.
            active: the shards that are not idle; the batch's own is one of them.
        """
        touched: set[int] = set()
        for records, decided in self._split(batch):
            touched |= await self._count(records, active=active, decided=decided)
        self._decided[batch.shard_id] = max(self._decided[batch.shard_id], batch.sequence_numbers[-1], key=_number)
        if touched:
            self._pending.hold(batch.token, touched)
        released = await self.fire(active=active)
        return released if touched else [*released, batch.token]

    async def fire(self, *, active: Collection[str]) -> list[Token]:
        """Deliver the windows that are complete; return the tokens of the batches that are done by that."""
        fired = self._windows.fire(active)
        await self._counts.put(list(chain.from_iterable(map(_finals, fired))))
        self._metrics.fired(fired, self._windows)
        return [token for each in fired for token in self._pending.release(each.window.start)]

    def progress(self) -> dict[str, Progress]:
        """Return what to store for each shard before anything returned by `take` is acknowledged."""
        watermark = self._windows.watermarks.combined
        return {
            shard: Progress(watermark=max(before.watermark, watermark), decided=self._decided[shard])
            for shard, before in self._restored.items()
        }

    def watermark(self) -> int:
        """Return how far event time has come, in milliseconds since the epoch."""
        return self._windows.watermarks.combined

    def ahead(self, behind: Collection[str], max_drift: int) -> set[str]:
        """Return the shards whose event time is more than `max_drift` ms ahead of the slowest of those `behind`.

        They are not to be read on for now: what they show would only fill memory with windows that cannot fire.

        Args:
            behind: the shards that have records to read yet. To wait for another one would be to wait for its producer.
            max_drift: in milliseconds.
        """
        watermarks = self._windows.watermarks
        shown = [watermarks[shard] for shard in behind if watermarks[shard] > BEGINNING]
        limit = min(shown, default=_NEVER) + max_drift
        return {shard for shard in self._restored if watermarks[shard] > limit}

    def _split(self, batch: Batch[Token]) -> list[tuple[Batch[Token], bool]]:
        """Part a batch at the end of what was decided before the restart; nearly always it is whole."""
        before = self._restored[batch.shard_id]
        if not before.covers(batch.sequence_numbers[0]):
            return [(batch, False)]
        if before.covers(batch.sequence_numbers[-1]):
            return [(batch, True)]
        cut = bisect_right(batch.sequence_numbers, _number(before.decided), key=_number)
        return [(_part(batch, slice(0, cut)), True), (_part(batch, slice(cut, None)), False)]

    async def _count(self, batch: Batch[Token], *, active: Collection[str], decided: bool) -> set[int]:
        actions = decode_actions(batch.payloads)
        if batch.arrivals:
            refuse_far_ahead(
                actions,
                batch.arrivals,
                max_ahead=self._windowing.max_ahead,
                max_replay_ahead=self._windowing.max_replay_ahead,
            )
        outcome = self._windows.add(batch.shard_id, actions.users, actions.times, active=active, decided=decided)
        async with asyncio.TaskGroup() as group:
            if outcome.crossings:
                group.create_task(self._counts.put([_early(crossing) for crossing in outcome.crossings]))
            if (actions.bad and not decided) or outcome.late:
                group.create_task(self._bad_events.put(self._set_aside(batch, actions, outcome)))
        self._metrics.counted(actions, outcome, decided=decided, now=from_datetime(self._clock.now()))
        return outcome.touched

    def _set_aside(self, batch: Batch[Token], actions: Actions, outcome: BatchOutcome) -> list[BadEvent]:
        bad = dict(actions.bad)
        for position in outcome.late:
            bad[position] = self._late(batch.shard_id, actions.times[position])
        failed_at = format_instant(from_datetime(self._clock.now()))
        return [
            BadEvent.of(
                reason,
                batch.payloads[position],
                service="windower",
                stream=batch.stream,
                shard_id=batch.shard_id,
                sequence_number=_place(batch.sequence_numbers, position),
                failed_at=failed_at,
            )
            for position, reason in sorted(bad.items())
        ]

    def _late(self, shard: str, time: int) -> BadPayload:
        size = self._windowing.size
        window = format_instant(time - time % size)
        watermark = self._windows.watermarks[shard]
        return BadPayload(
            FailureKind.LATE,
            f"its window, from {window}, had fired: event time of {shard} has come to "
            f"{format_instant(watermark + self._windowing.delay)}, and a record may be {self._windowing.delay} ms late",
        )


def _number(sequence_number: str) -> int:
    return int(sequence_number or -1)


def _place(sequence_numbers: Sequence[str], position: int) -> str:
    """Return what names one record: its sequence number, and its place among the KPL records that share it."""
    own = sequence_numbers[position]
    before = position
    while before and sequence_numbers[before - 1] == own:
        before -= 1
    shared = before != position or (position + 1 < len(sequence_numbers) and sequence_numbers[position + 1] == own)
    return f"{own}/{position - before}" if shared else own


def _part(batch: Batch[Token], part: slice) -> Batch[Token]:
    return Batch(
        stream=batch.stream,
        shard_id=batch.shard_id,
        payloads=batch.payloads[part],
        sequence_numbers=batch.sequence_numbers[part],
        arrivals=batch.arrivals[part],
        token=batch.token,
    )


def _early(crossing: Crossing) -> WindowCount:
    start, end = _bounds(crossing.window)
    return WindowCount(
        user_id=crossing.key, num_actions=crossing.num_actions, window_start=start, window_end=end, kind="early"
    )


def _finals(fired: Fired) -> list[WindowCount]:
    start, end = _bounds(fired.window)
    return [
        WindowCount(user_id=user, num_actions=n, window_start=start, window_end=end) for user, n in fired.counts.items()
    ]


@lru_cache(maxsize=128)
def _bounds(window: Window) -> tuple[str, str]:
    """Return a window's start and end as they are written; many users cross the limit in the same few windows."""
    return format_instant(window.start), format_instant(window.end)
