"""What must be known before the first row is sent: the files, the first event time, the clock, the planted bots."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec

from producer.errors import SourceError
from producer.options import ReplayOptions, milliseconds
from producer.ports import SourceFile, Sources
from producer.progress import Progress
from producer.reading.csv import Row
from producer.reading.files import Piece, read_file
from producer.stamps import MAX_AHEAD_MS, MAX_REPLAY_AHEAD_MS
from storepulse.instants import from_datetime
from storepulse.replay.bots import BotLabel, Plan, PlanError, PlantedAction, decode_plan, label, plant
from storepulse.replay.pacing import ReplayClock
from storepulse.replay.rows import COLUMNS, RowCodec

MAX_PLAN_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The first event time of a replay's files, in file order, and the latest; in ms since the epoch."""

    first: int
    last: int


class Input:
    """The files of one replay, as rows."""

    def __init__(
        self, sources: Sources, files: Sequence[SourceFile], key: str, progress: Progress, stopping: asyncio.Event
    ) -> None:
        """Read `files` from `sources`, until `stopping` is set."""
        self._stopping = stopping
        self.files = files
        self._sources, self._key, self._progress = sources, key, progress
        self.size = sum(file.size for file in files)

    @property
    def identity(self) -> str:
        """What changes when a file does."""
        return "\n".join(f"{file.url}\t{file.size}\t{file.version}" for file in self.files)

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield all rows of all files, in order, until stopped."""
        self._progress.bytes_total, self._progress.bytes_read = self.size, 0
        self._progress.incomplete.clear()
        for file in self.files:
            rows = read_file(self._sources, file, self._key, self._count, self._progress.incomplete.append)
            async with aclosing(rows) as pieces:
                async for piece in pieces:
                    if self._stopping.is_set():
                        return
                    yield piece

    def _count(self, read: int) -> None:
        self._progress.bytes_read += read

    async def extent(self, *, whole: bool, until: int) -> Extent | None:
        """Return the event times of the files; None when no row has one.

        Args:
            whole: read to the end for the latest one; else it is the first.
            until: later event times, in ms since the epoch, are left out, unless there are no others.
        """
        found: Extent | None = None
        beyond: Extent | None = None
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                for time in _event_times(piece):
                    if time > until:
                        beyond = _extended(beyond, time)
                        continue
                    found = _extended(found, time)
                    if not whole:
                        return found
        return found or beyond


def _extended(extent: Extent | None, time: int) -> Extent:
    return Extent(first=time, last=time) if extent is None else Extent(first=extent.first, last=max(extent.last, time))


def latest_event_time(first: int, now: int) -> int:
    """Return the event time after which a row is a bad event: one from the year 9998 would hold up all after it.

    That is a few minutes from now; in files that begin in the future, a year after their first row.
    """
    return now + MAX_AHEAD_MS if first <= now + MAX_AHEAD_MS else first + MAX_REPLAY_AHEAD_MS


def _event_times(piece: Piece) -> list[int]:
    times, last_text, last_time = [], "", 0
    for row in piece.rows:
        if isinstance(row, Row):
            text = piece.codec.event_time_text(row.values)
            try:
                last_time = last_time if text == last_text else piece.codec.event_time(row.values)
            except ValueError:
                continue
            last_text = text
            times.append(last_time)
    return times


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The bots of one replay."""

    plan: Plan
    codec: RowCodec
    actions: list[PlantedAction]
    users: frozenset[str]

    def labels(self, options: ReplayOptions, first: int, shift: int) -> list[BotLabel]:
        """Return what is true of each."""
        return label(self.plan, first=first, shift=shift, window=options.window_ms, limit=options.limit)


async def load_plan(sources: Sources, options: ReplayOptions) -> tuple[bytes, Plan]:
    """Return the text and the content of the plan that the options name; an empty one by default.

    Raises:
        SourceError: it cannot be read, or is no plan.
    """
    text = b'{"bots":[]}' if options.inject is None else await sources.load(options.inject, MAX_PLAN_BYTES)
    try:
        return text, decode_plan(text)
    except PlanError as error:
        msg = f"{options.inject}: {error}"
        raise SourceError(msg) from error


def planted(plan: Plan, options: ReplayOptions, first: int) -> Planted:
    """Return the bots' rows for files whose first event time is `first`."""
    key = options.key if options.key in COLUMNS else "user_id"
    return Planted(
        plan=plan,
        codec=RowCodec("bots", COLUMNS, key=key),
        actions=plant(plan, first=first, window=options.window_ms),
        users=frozenset(bot.user_id for bot in plan.bots),
    )


def clock_for(options: ReplayOptions, extent: Extent, *, now: int, highest_stamp: int) -> ReplayClock:
    """Return the event clock of a replay.

    Without a `base` it starts after `highest_stamp`, the latest in the stream: its rows would be late otherwise.
    A given `base` is taken as it is, so that a replay can be repeated exactly.
    """
    base, window = milliseconds(options.base), options.window_ms
    at = now if base is None else base
    after = ReplayClock.starting(first=extent.first, at=highest_stamp, window=window) if base is None else None
    if options.anchor == "end":
        chosen = ReplayClock.ending(last=extent.last, at=at - options.run_out_ms, window=window)
    else:
        chosen = ReplayClock.starting(first=extent.first, at=at, window=window)
    return chosen if after is None or after.shift <= chosen.shift else after


async def extent_of(source: Input, plan: Plan, options: ReplayOptions, *, now: int) -> Extent | None:
    """Return the event times of a replay, planted bots included; reads the files whole only when it must."""
    whole = options.clock == "event" and options.anchor == "end" and options.last is None
    extent = await source.extent(whole=whole, until=now + MAX_AHEAD_MS)
    if extent is None:
        return None
    last = extent.last if options.last is None else from_datetime(options.last)
    bots = plant(plan, first=extent.first, window=options.window_ms)
    return Extent(first=extent.first, last=max(last, bots[-1].event_time if bots else last))


def encode_labels(labels: Sequence[BotLabel], options: ReplayOptions, shift: int | None) -> bytes:
    """Return the labels as a JSON text.

    With the wall clock no one knows beforehand which window an action falls into: the windows are those of the file's
    own times then, and `clock` says so.
    """
    content = {
        "clock": options.clock,
        "shift_ms": shift,
        "window_s": options.window.total_seconds(),
        "limit": options.limit,
        "bots": labels,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
