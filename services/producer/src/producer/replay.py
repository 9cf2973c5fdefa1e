"""One replay, from its first row to its last window."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from producer.errors import SourceError, StateError, UnansweredError, UnreachableError
from producer.feeding import Script
from producer.options import ReplayOptions
from producer.planning import Extent, Input, clock_for, encode_labels, extent_of, latest_event_time, load_plan, planted
from producer.ports import Entry, Put, SourceFile
from producer.progress import Progress
from producer.run import Run, World
from producer.stamps import Stamps, refuse_conflict, refuse_late
from producer.state import ReplayState
from producer.stream_time import StreamTime
from servicekit.logs import get_logger
from storepulse.instants import format_instant, from_datetime
from storepulse.replay.bots import Plan

EMPTY: Final = Plan(bots=[])
STOP_WITHIN_S: Final = 10.0
"""How long a stopped replay may take to end in order; less than whoever stops the service waits before a kill."""
_log = get_logger(__name__)
Sent = Callable[[Entry, Put], None]


class Replay:
    """Plays files into the stream once. `progress` can be read at any time; `stop` ends it early, resumable."""

    def __init__(
        self, replay_id: str, options: ReplayOptions, world: World, *, resume: bool = False, on_sent: Sent | None = None
    ) -> None:
        """Prepare; nothing is read or sent before `run`.

        Args:
            replay_id: names its state.
            options: what to play, and how.
            world: what it acts on.
            resume: go on from the saved state; without one, start.
            on_sent: told of every row that Kinesis accepted.
        """
        self.replay_id, self.options, self.progress = replay_id, options, Progress()
        self._world, self._resume, self._on_sent = world, resume, on_sent
        self.stopping, self._hurried = asyncio.Event(), asyncio.Event()
        self._time = StreamTime(
            replay_id, options, stream=world.stream, store=world.stamps, clock=world.clock, notes=self.progress.notes
        )

    def stop(self) -> None:
        """End soon: rows on their way are delivered, the state is saved, the last windows are left open.

        When AWS does not let that happen within `STOP_WITHIN_S`, the replay is broken off, as by a kill: resumable.
        """
        self.stopping.set()

    def break_off(self) -> None:
        """End at once, as by a kill; a resumed replay finds out what has arrived."""
        self.stopping.set()
        self._hurried.set()

    async def check(self) -> None:
        """Return when nothing is known that speaks against playing now; `run` looks again, and has the last word.

        Raises:
            NotNowError: another replay plays, or the rows would be late.
        """
        stamps, _ = await self._time.known()
        now = from_datetime(self._world.clock.now())
        if not self.options.allow_late:
            refuse_conflict(stamps, self.replay_id, self.options, now=now, resumed=self._resume)
            if self.options.clock == "wall":
                with suppress(UnansweredError, UnreachableError):
                    refuse_late(await self._highest(stamps, tail=not self._resume), now, self.options, now=now)

    async def run(self) -> None:
        """Play to the end.

        Raises:
            ReplayError: it cannot start or go on; the message is for the person who started it.
        """
        try:
            await self._run_until_broken_off()
        except Exception as error:
            self.progress.phase, self.progress.error = "failed", str(_first(error))
            raise _first(error) from error
        self.progress.phase = "stopped" if self.stopping.is_set() else "finished"

    async def _run_until_broken_off(self) -> None:
        running = asyncio.ensure_future(self._run())
        guards = [asyncio.ensure_future(guard) for guard in (self._lose_patience(), self._hurried.wait())]
        try:
            await asyncio.wait([running, *guards], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (running, *guards):
                task.cancel()  # does nothing to one that is done
            await asyncio.wait([running, *guards])
        if running.cancelled():
            _log.warning("replay_broken_off", replay_id=self.replay_id, phase=self.progress.phase)
        else:
            running.result()

    async def _lose_patience(self) -> None:
        await self.stopping.wait()
        await self._world.sleep(STOP_WITHIN_S)

    async def _run(self) -> None:
        files = [file for url in self.options.sources for file in await self._world.sources.find(url)]
        _require_different(files)
        source = Input(self._world.sources, files, key=self.options.key, progress=self.progress, stopping=self.stopping)
        text, plan = await load_plan(self._world.sources, self.options)
        saved = await self._saved(fingerprint := self.options.fingerprint(source.identity, text.decode()))
        state = saved or self._new_state(fingerprint)
        if state.done:
            _log.info("replay_was_finished", replay_id=self.replay_id)
            return
        now = from_datetime(self._world.clock.now())
        extent = await self._extent(source, plan, state, now)
        if self.stopping.is_set():
            return
        bots = planted(plan if extent else EMPTY, self.options, extent.first if extent else 0)
        state, highest = await self._fix_clock(state, extent, now)
        if self.options.labels is not None and extent is not None:
            labels = bots.labels(self.options, extent.first, state.shift or 0)
            await self._world.sources.store(self.options.labels, encode_labels(labels, self.options, state.shift))
        script = Script(
            first=extent.first if extent else 0,
            shift=state.shift,
            latest=state.latest or now,
            highest=highest,
            planted=bots,
        )
        run = Run(
            self.options,
            self._world,
            state,
            script,
            self.progress,
            stream_time=self._time,
            resumed=saved is not None,
            on_sent=self._on_sent,
        )
        await run.play(source, self.stopping)

    async def _extent(self, source: Input, plan: Plan, state: ReplayState, now: int) -> Extent | None:
        if state.first is not None:
            return Extent(first=state.first, last=state.first)
        self.progress.phase = "scanning"
        return await extent_of(source, plan, self.options, now=now)

    async def _saved(self, fingerprint: str) -> ReplayState | None:
        saved = await self._world.states.load(self.replay_id) if self._resume else None
        if saved is not None and saved.fingerprint != fingerprint:
            msg = (
                f"the saved state {self.replay_id} is of a replay with other files or options ({saved.options}): "
                "give the same ones, or start anew without resuming"
            )
            raise StateError(msg)
        return saved

    def _new_state(self, fingerprint: str) -> ReplayState:
        now = format_instant(from_datetime(self._world.clock.now()))
        return ReplayState(
            replay_id=self.replay_id,
            fingerprint=fingerprint,
            options=self.options.model_dump_json(),
            since=now,
            saved_at=now,
        )

    async def _fix_clock(self, state: ReplayState, extent: Extent | None, now: int) -> tuple[ReplayState, int]:
        """Decide the clock once, and save it before the first row is sent: a resumed replay has the same.

        Returns:
            the state with the clock, and the latest stamp that the stream had before.

        Raises:
            NotNowError: another replay plays, or the rows would be late.
        """
        highest = 0
        while extent is not None:
            stamps, version = await self._time.known()
            is_new = state.first is None
            highest = await self._world.answered(lambda known=stamps, tail=is_new: self._highest(known, tail=tail))  # type: ignore[misc] # bound
            if not self.options.allow_late:
                refuse_conflict(stamps, self.replay_id, self.options, now=now, resumed=self._resume)
            shift = state.shift
            if is_new and self.options.clock == "event":
                shift = clock_for(self.options, extent, now=now, highest_stamp=highest).shift
            first = now if shift is None else max(extent.first + shift, state.last_stamp)
            refuse_late(highest, first, self.options, now=now)
            if await self._time.claim(stamps, version, first):
                latest = state.latest or latest_event_time(extent.first, now)
                state = msgspec.structs.replace(state, first=extent.first, latest=latest, shift=shift)
                self._time.note_lateness(highest, first)
                break
        await self._world.states.save(state)
        return state, highest

    async def _highest(self, stamps: Stamps, *, tail: bool) -> int:
        """Return the latest stamp in the stream; a resumed replay goes by what others say: its own are in the tail."""
        if not tail:
            return stamps.highest_but(self.replay_id)
        return max(stamps.highest_but(None), await self._time.read_tail(stamps))


def _require_different(files: Sequence[SourceFile]) -> None:
    """Refuse a file that is named twice: its rows would have the same event ids, by which a resumed replay goes."""
    twice = [url for url, times in Counter(file.url for file in files).items() if times > 1]
    if twice:
        msg = f"{twice[0]}: is among the sources twice"
        raise SourceError(msg)


def _first(error: BaseException) -> BaseException:
    """Return the one exception in `error` that says most: the first of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
