"""Rows in their order, each when it is due, with its stamp, into its lane."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from producer.errors import ReplayError
from producer.heartbeats import Heartbeats
from producer.options import ReplayOptions
from producer.planning import Planted
from producer.ports import Entry
from producer.progress import Progress
from producer.reading.csv import BadRow, Row
from producer.reading.files import Piece
from producer.sending.bad_events import BadEventLane
from producer.sending.delivery import Sleep
from producer.sending.lanes import ROOM, Lane, Lanes, Queued
from producer.stamps import MAX_REPLAY_AHEAD_MS, open_from
from servicekit.clock import Clock
from storepulse.failures import BadEvent, BadPayload
from storepulse.instants import format_instant, from_datetime
from storepulse.replay.pacing import AtOnce
from storepulse.replay.rows import Encoded, RowCodec, refuse, stamp_text

_NAP_S: Final = 0.2  # how soon a stop is noticed
_DUE_S: Final = 0.004  # what is due this soon is due now
_SAME_TIME: Final = 32  # rows
_KNOWN_TIMES: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class Script:
    """What decides the rows' order and stamps."""

    first: int  # event time, ms since the epoch
    shift: int | None  # of the event clock; None: wall clock
    latest: int  # event time; a row after it is a bad event
    highest: int  # stamp in the stream before the replay, ms since the epoch; 0: not known
    planted: Planted


@dataclass(frozen=True, kw_only=True)
class Outlets:
    """Where rows go."""

    lanes: Lanes
    bad: BadEventLane
    heartbeats: Heartbeats
    relocate: Callable[[], Awaitable[None]]  # make lanes for the shards that there are now


class Feeder:
    """Feeds one replay's rows."""

    def __init__(
        self,
        script: Script,
        options: ReplayOptions,
        outlets: Outlets,
        *,
        progress: Progress,
        clock: Clock,
        sleep: Sleep,
        confirmed: int = 0,
        there: set[bytes] | None = None,
    ) -> None:
        """Feed by `script`.

        Args:
            script: order and stamps.
            options: the pace.
            outlets: where rows go.
            progress: counts them.
            clock: of the schedule, and of the wall clock's stamps.
            sleep: waits for seconds.
            confirmed: rows at the beginning that are done.
            there: event ids of rows after those that are in the stream already.
        """
        self._script, self._outlets, self._progress = script, outlets, progress
        self._clock, self._sleep = clock, sleep
        self._pace, self._key = options.pacing(), options.key
        self._window, self._delay = options.window_ms, options.delay_ms
        self._open_from = open_from(script.highest, options)
        self._confirmed, self._there = confirmed, there if there is not None else set()
        self._bots = iter(script.planted.actions)
        self._bot = next(self._bots, None)
        self._bot_line = 0
        self._times: dict[str, tuple[int, str]] = {}
        self._began: float | None = None  # monotonic; when the first row was due
        self._began_time = script.first
        self._is_quick = isinstance(self._pace, AtOnce) and not script.planted.users
        self._wall = (0, "")
        self._horizon: int | None = None  # stamp of the row that is waited for
        self.index = 0  # rows handed over
        self.stopped = False

    def reached(self) -> int | None:
        """Return the event time that no row to come is before, as far as the files are in order; None: not begun."""
        if self._began is None:
            return None
        if self._script.shift is None:
            return self._now()
        latest = self._progress.last_stamp
        spent = self._pace.reached((self._clock.monotonic() - self._began) * 1000)
        if self._horizon is None or spent is None:
            return latest
        return max(latest, min(self._horizon, self._began_time + self._script.shift + spent))

    def _now(self) -> int:
        return max(from_datetime(self._clock.now()), self._progress.last_stamp)

    async def run(self, pieces: AsyncGenerator[Piece, None]) -> None:
        """Feed all rows of `pieces`, and the planted ones among them; return early once `stopped` is set."""
        async for piece in pieces:
            for row in piece.rows:
                if not self._send_at_once(piece.codec, row):
                    await self._merge(piece.codec, row)
                    if self.stopped:
                        return
            await self._sleep(0)
        await self._plant(None)

    def _send_at_once(self, codec: RowCodec, row: Row | BadRow) -> bool:
        """Do what `_merge` does, at half its cost, for a row that is right and has to wait for nothing.

        Such are most rows of a replay at full speed. Return False for any other; nothing has been done then.
        """
        if not self._is_quick or self._began is None or self._there or isinstance(row, BadRow) or self.stopped:
            return False
        known = self._times.get(codec.event_time_text(row.values))
        if known is None or (self._bot is not None and self._bot.event_time <= known[0]):
            return False
        text, stamp = known[1], known[0] + (self._script.shift or 0)
        if self._script.shift is None:
            stamp, text = self._wall_stamp()
        encoded = codec.encode(row.line, row.values, text, self._script.shift)
        if isinstance(encoded, BadPayload):
            return False
        lane = self._outlets.lanes.lane_of(encoded.key)
        if len(lane.waiting) >= ROOM or self._outlets.lanes.resharded:
            return False
        self._progress.rows += 1
        self._add(lane, encoded, stamp)
        return True

    def _wall_stamp(self) -> tuple[int, str]:
        """Return the time of sending; asked of the clock once in a few rows, which leave within milliseconds."""
        if self.index % _SAME_TIME == 0 or self._wall[0] < self._progress.last_stamp:
            now = self._now()
            self._wall = (now, format_instant(now))
        return self._wall

    async def _merge(self, codec: RowCodec, row: Row | BadRow) -> None:
        if isinstance(row, BadRow):
            await self._reject(codec, row)
            return
        text = codec.event_time_text(row.values)
        try:
            time, stamp = self._times.get(text) or self._learn(codec, row, text)
        except ValueError as error:
            await self._reject(codec, BadRow(row.line, row.as_read(), refuse(error)))
            return
        if self._bot is not None and self._bot.event_time <= time:
            await self._plant(time)
        if self._script.planted.users and codec.user(row.values) in self._script.planted.users:
            msg = f"{codec.source}, line {row.line}: the planted user {codec.user(row.values)} is a real one too"
            raise ReplayError(msg)
        await self._feed(codec, row, time, stamp)

    def _learn(self, codec: RowCodec, row: Row, text: str) -> tuple[int, str]:
        if len(self._times) >= _KNOWN_TIMES:
            self._times.clear()
        time = codec.event_time(row.values)
        self._require_plausible(time)
        stamp = stamp_text(time + (self._script.shift or 0))
        self._times[text] = (time, stamp)
        return time, stamp

    def _require_plausible(self, time: int) -> None:
        """Refuse a time that all rows after it would have to wait for, or that the windower would set aside."""
        shift = self._script.shift
        most = from_datetime(self._clock.now()) + MAX_REPLAY_AHEAD_MS
        if time > self._script.latest or (shift is not None and time + shift > most):
            msg = "event_time: so far in the future that what comes after it would be late"
            raise ValueError(msg)

    async def _plant(self, until: int | None) -> None:
        """Feed the bots' actions that come before `until`, or all."""
        while self._bot is not None and (until is None or self._bot.event_time <= until) and not self.stopped:
            action, self._bot = self._bot, next(self._bots, None)
            self._bot_line += 1
            stamp = stamp_text(action.event_time + (self._script.shift or 0))
            codec = self._script.planted.codec
            await self._feed(codec, Row(self._bot_line, action.values), action.event_time, stamp)
            self._progress.planted += 1

    async def _feed(self, codec: RowCodec, row: Row, time: int, text: str) -> None:
        self._progress.rows += 1
        if self.index < self._confirmed:
            self.index += 1
            return
        stamp = time + (self._script.shift or 0)
        if self._began is None:
            await self._begin(time, stamp)
        await self._until_due(time, stamp)
        if self.stopped:
            return
        if self._script.shift is None:
            stamp = self._now()
            text = format_instant(stamp)
        encoded = codec.encode(row.line, row.values, text, self._script.shift)
        if isinstance(encoded, BadPayload):
            self._progress.rows -= 1
            await self._reject(codec, BadRow(row.line, row.as_read(), encoded))
        elif self._there and bytes.fromhex(encoded.event_id) in self._there:
            self._there.remove(bytes.fromhex(encoded.event_id))
            self._hand_over(stamp)
            self._progress.found += 1
        else:
            await self._send(encoded, stamp)

    async def _send(self, encoded: Encoded, stamp: int) -> None:
        lane = self._outlets.lanes.lane_of(encoded.key)
        self._add(lane, encoded, stamp)
        await self._outlets.lanes.room(lane)
        if self._outlets.lanes.resharded:
            await self._outlets.relocate()

    def _add(self, lane: Lane, encoded: Encoded, stamp: int) -> None:
        lane.add(Queued(Entry(encoded.payload, encoded.key, None, encoded.event_id, self.index), stamp))
        if lane.is_late(stamp, window=self._window, delay=self._delay):
            self._progress.late += 1
            self._progress.late_from_start += stamp < self._open_from
        self._hand_over(stamp)

    def _hand_over(self, stamp: int) -> None:
        self.index += 1
        self._progress.last_stamp = max(self._progress.last_stamp, stamp)

    async def _reject(self, codec: RowCodec, row: BadRow) -> None:
        self._progress.rows += 1
        if self.index < self._confirmed:
            self.index += 1
            return
        bad = BadEvent.of(
            row.bad,
            row.raw,
            service="producer",
            stream=codec.source,
            shard_id="",
            sequence_number=str(row.line),
            failed_at=format_instant(from_datetime(self._clock.now())),
        )
        index, self.index = self.index, self.index + 1
        await self._outlets.bad.add(index, bad)
        self._progress.bad += 1

    async def _begin(self, time: int, stamp: int) -> None:
        """Show every shard the first row's time before any row, so that none seems idle; then start the schedule."""
        self._outlets.heartbeats.beat(self._now() if self._script.shift is None else stamp)
        await self._outlets.lanes.idle()
        self._began_time = time
        self._began = self._clock.monotonic()
        self._began_index = self.index

    async def _until_due(self, time: int, stamp: int) -> None:
        began = self._began if self._began is not None else self._clock.monotonic()
        due = self._pace.due(self.index - self._began_index, time - self._began_time) / 1000
        while (wait := began + due - self._clock.monotonic()) > _DUE_S and not self.stopped:
            self._horizon = stamp
            await self._sleep(min(wait, _NAP_S))
        self._horizon = None
        self._progress.behind_s = max(-wait, 0.0) if due else 0.0
