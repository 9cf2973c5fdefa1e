"""One replay, from its first row to its last window."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from producer.errors import SourceError, StateError
from producer.feeding import Script
from producer.options import ReplayOptions
from producer.planning import Extent, Input, clock_for, encode_labels, extent_of, load_plan, planted
from producer.ports import Entry, Put, SourceFile
from producer.progress import Progress
from producer.run import Run, World
from producer.state import ReplayState
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

    def stop(self) -> None:
        """End soon: rows on their way are delivered, the state is saved, the last windows are left open.

        When AWS does not let that happen within `STOP_WITHIN_S`, the replay is broken off, as by a kill: resumable.
        """
        self.stopping.set()

    def break_off(self) -> None:
        """End at once, as by a kill; a resumed replay finds out what has arrived."""
        self.stopping.set()
        self._hurried.set()

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
        extent = await self._extent(source, plan, state)
        if self.stopping.is_set():
            return
        bots = planted(plan if extent else EMPTY, self.options, extent.first if extent else 0)
        state = await self._fix_clock(state, extent)
        if self.options.labels is not None and extent is not None:
            labels = bots.labels(self.options, extent.first, state.shift or 0)
            await self._world.sources.store(self.options.labels, encode_labels(labels, self.options, state.shift))
        script = Script(first=extent.first if extent else 0, shift=state.shift, planted=bots)
        run = Run(
            self.options, self._world, state, script, self.progress, resumed=saved is not None, on_sent=self._on_sent
        )
        await run.play(source, self.stopping)

    async def _extent(self, source: Input, plan: Plan, state: ReplayState) -> Extent | None:
        if state.first is not None:
            return Extent(first=state.first, last=state.first)
        self.progress.phase = "scanning"
        return await extent_of(source, plan, self.options)

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

    async def _fix_clock(self, state: ReplayState, extent: Extent | None) -> ReplayState:
        """Decide the clock once, and save it before the first row is sent: a resumed replay has the same."""
        if extent is not None and state.first is None:
            shift = None
            if self.options.clock == "event":
                now = from_datetime(self._world.clock.now())
                highest = await self._world.states.highest_stamp()
                shift = clock_for(self.options, extent, now=now, highest_stamp=highest).shift
            state = msgspec.structs.replace(state, first=extent.first, shift=shift)
        await self._world.states.save(state)
        return state


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
