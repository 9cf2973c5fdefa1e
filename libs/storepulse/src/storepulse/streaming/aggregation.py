"""Counts per key in tumbling event-time windows, by the rules of Flink's window operator.

* A window fires when the combined watermark reaches its last millisecond.
* A record is late when its window had fired before it: ``window.last <= watermark`` *before* the record.
* The watermark follows every record, so neither rule depends on how records are cut into batches.

After a restart some records come again. `restored` says, per source, up to which watermark the windows are out
already, and `decided` marks records whose fate was settled in the life before: what they did to a delivered window is
done, so they are skipped there, neither counted nor late.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Generic, NamedTuple, cast

from storepulse.streaming.watermarks import BEGINNING, Source, Watermarks
from storepulse.streaming.windows import Window, window_of

_NEVER: Final = 2**63


class Crossing(NamedTuple):
    """A key's count has just gone over the limit inside an open window."""

    key: str
    window: Window
    num_actions: int


@dataclass(slots=True, kw_only=True)
class BatchOutcome:
    """What one batch did."""

    counted: int = 0
    skipped: int = 0  # decided before, in a window that is out
    late: list[int] = field(default_factory=list)  # positions in the batch
    crossings: list[Crossing] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)  # starts of the windows that now hold records of it


class Fired(NamedTuple):
    """A window that is complete, with its final counts."""

    window: Window
    counts: dict[str, int]


class TumblingCount(Generic[Source]):
    """Counts records per key and window. All times are milliseconds since the epoch."""

    def __init__(
        self,
        sources: Collection[Source],
        *,
        size: int,
        delay: int,
        limit: int | None = None,
        restored: Mapping[Source, int] | None = None,
    ) -> None:
        """Count in windows of `size` with watermarks `delay` behind; report a key's record `limit` + 1 at once."""
        self.size = size
        self.crossing = 0 if limit is None else limit + 1
        self.watermarks: Watermarks[Source] = Watermarks(sources, delay=delay, restored=restored)
        self._delivered = dict.fromkeys(sources, BEGINNING) | dict(restored or {})
        self._open: dict[int, dict[str, int]] = {}

    @property
    def open_windows(self) -> int:
        """How many windows hold counts that have not fired."""
        return len(self._open)

    @property
    def open_counts(self) -> int:
        """How many counts (a key in a window) are held in memory."""
        return sum(map(len, self._open.values()))

    def add(
        self,
        source: Source,
        keys: Sequence[str | None],
        times: Sequence[int],
        *,
        active: Collection[Source],
        decided: bool = False,
    ) -> BatchOutcome:
        """Count one batch of one source, in order.

        Args:
            source: the one the batch was read from.
            keys: one a record; None for a record that only moves event time (a heartbeat).
            times: one a record; `BEGINNING` for one that does not even do that.
            active: the sources that are not idle; `source` is one of them.
            decided: whether the records were settled before a restart.

        Raises:
            ValueError: there are not as many keys as times; nothing has been counted.
        """
        if len(keys) != len(times):
            msg = f"{len(keys)} keys and {len(times)} times"
            raise ValueError(msg)
        outcome = BatchOutcome()
        ceiling = self.watermarks.ceiling(source, active)
        if not self._add_to_open_windows(source, keys, times, ceiling, outcome):
            self._add_each(source, keys, times, ceiling, outcome, decided=decided)
        self.watermarks.advance(active)
        return outcome

    def _closed(self, source: Source, own: int, ceiling: int) -> int:
        """Return the watermark that the windows of a record of `source` go by when its own one is `own`."""
        return max(self._delivered[source], self.watermarks.combined, min(own, ceiling))

    def _add_to_open_windows(
        self,
        source: Source,
        keys: Sequence[str | None],
        times: Sequence[int],
        ceiling: int,
        outcome: BatchOutcome,
    ) -> bool:
        """Count a batch that leaves its one or two windows open, as most do: no record of it can be late.

        Returns:
            Whether it is such a batch; if not, nothing has been done.
        """
        latest = max(times, default=BEGINNING)
        first, last = window_of(min(times, default=BEGINNING), self.size), window_of(latest, self.size)
        own = max(self.watermarks[source], latest - self.watermarks.delay)
        if first.last <= self._closed(source, own, ceiling) or last.start > first.end or not keys or None in keys:
            return False
        if first == last:
            self._count_one(cast("Sequence[str]", keys), first, outcome)
        else:
            self._count_two(cast("Sequence[str]", keys), times, first, last, outcome)
        outcome.counted = len(keys)
        outcome.touched |= {first.start, last.start}
        self.watermarks.observe(source, latest)
        return True

    def _count_one(self, keys: Sequence[str], window: Window, outcome: BatchOutcome) -> None:
        counts, crossing = self._open.setdefault(window.start, {}), self.crossing
        for key in keys:
            counts[key] = actions = counts.get(key, 0) + 1
            if actions == crossing:
                outcome.crossings.append(Crossing(key, window, actions))

    def _count_two(
        self, keys: Sequence[str], times: Sequence[int], first: Window, last: Window, outcome: BatchOutcome
    ) -> None:
        before, after = self._open.setdefault(first.start, {}), self._open.setdefault(last.start, {})
        boundary, crossing = last.start, self.crossing
        for key, time in zip(keys, times, strict=True):
            counts = before if time < boundary else after
            counts[key] = actions = counts.get(key, 0) + 1
            if actions == crossing:
                outcome.crossings.append(Crossing(key, first if time < boundary else last, actions))

    def _add_each(
        self,
        source: Source,
        keys: Sequence[str | None],
        times: Sequence[int],
        ceiling: int,
        outcome: BatchOutcome,
        *,
        decided: bool,
    ) -> None:
        """Count any batch."""
        windows, size, delay, crossing = self._open, self.size, self.watermarks.delay, self.crossing
        own, delivered = self.watermarks[source], self._delivered[source]
        closed = self._closed(source, own, ceiling)
        start = end = latest = own + delay
        # A window is closed for this source from the moment `latest` reaches `closing`. Both tests of a record are one
        # comparison that way: the watermark itself is not needed until the batch is through.
        closing = BEGINNING
        counts: dict[str, int] = {}
        for position, key, time in zip(count(), keys, times):
            if key is not None:
                if not start <= time < end:
                    start = time - time % size
                    end = start + size
                    if end - 1 <= closed:
                        closing = BEGINNING
                    else:
                        closing = end - 1 + delay if end - 1 <= ceiling else _NEVER
                        if latest < closing:
                            counts = windows.setdefault(start, {})
                            outcome.touched.add(start)
                if latest >= closing:
                    if decided and end - 1 <= delivered:
                        outcome.skipped += 1
                    else:
                        outcome.late.append(position)
                else:
                    counts[key] = actions = counts.get(key, 0) + 1
                    outcome.counted += 1
                    if actions == crossing:
                        outcome.crossings.append(Crossing(key, Window(start, end), actions))
            if time > latest:  # noqa: PLR1730 - max() costs a call a record
                latest = time
        self.watermarks.observe(source, latest)

    def fire(self, active: Collection[Source]) -> list[Fired]:
        """Return the windows that are complete by the watermarks of the `active` sources, oldest first."""
        watermark = self.watermarks.advance(active)
        complete = sorted(start for start in self._open if start + self.size - 1 <= watermark)
        return [Fired(Window(start, start + self.size), self._open.pop(start)) for start in complete]
