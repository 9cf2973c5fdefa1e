"""One run of a replay: lanes, heartbeats and state, working side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import msgspec

from producer.errors import StateError
from producer.feeding import Feeder, Outlets, Script
from producer.heartbeats import EVERY_S, Heartbeats
from producer.options import ReplayOptions
from producer.planning import Input
from producer.ports import BadEvents, Entry, Put, Shard, Sources, StampStore, StateStore, Stream
from producer.progress import Progress
from producer.sending.bad_events import BadEventLane
from producer.sending.delivery import SETTLE_S, SKEW, Delivery, Sleep, answered, event_ids
from producer.sending.lanes import MAX_RECORDS, Lanes
from producer.state import ReplayState
from producer.stream_time import StreamTime
from servicekit.clock import Clock
from servicekit.logs import get_logger
from storepulse.instants import format_instant, from_datetime, parse_instant, to_datetime

SAVE_EVERY_S: Final = 1.0
SHARDS_EVERY_S: Final = 60.0
UNSAVED_S: Final = 120.0
"""How long a replay goes on when its state cannot be saved."""
TAIL: Final = timedelta(minutes=5)
"""How long after its last save a killed replay's records may have arrived; more than `UNSAVED_S` and a request."""
_log = get_logger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class World:
    """What a replay acts on."""

    stream: Stream
    sources: Sources
    bad_events: BadEvents
    states: StateStore
    stamps: StampStore
    clock: Clock
    give_up_after_s: float = 300.0
    sleep: Sleep = asyncio.sleep

    async def answered(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Return Kinesis's answer; see `delivery.answered`."""
        return await answered(ask, self.clock, self.sleep, self.give_up_after_s)


class Run:
    """Plays rows into the stream from where a state says, and keeps the state."""

    def __init__(
        self,
        options: ReplayOptions,
        world: World,
        state: ReplayState,
        script: Script,
        progress: Progress,
        *,
        stream_time: StreamTime,
        resumed: bool,
        on_sent: Callable[[Entry, Put], None] | None = None,
    ) -> None:
        """Prepare; nothing is sent before `play`."""
        self._resumed = resumed
        self._options, self._world, self._state, self._script = options, world, state, script
        self._progress, self._on_sent, self._stream_time = progress, on_sent, stream_time
        self._bad = BadEventLane(world.bad_events)
        self._workers: list[asyncio.Task[None]] = []
        self._saved_at, self._saving = world.clock.monotonic(), asyncio.Lock()
        self._lanes: Lanes
        self._feeder: Feeder
        self._heartbeats: Heartbeats
        self._group: asyncio.TaskGroup

    async def play(self, source: Input, stopping: asyncio.Event) -> None:
        """Send what is left, then drain; return early, with the state saved, once `stopping` is set.

        Raises:
            ReplayError: it cannot go on.
        """
        there = await self._look_behind()
        await self._build(there)
        async with asyncio.TaskGroup() as self._group:
            await self._start_lanes()
            beating = self._group.create_task(self._beat())
            tasks = [self._group.create_task(helper()) for helper in (self._save_often, self._watch_shards)]
            tasks += [self._group.create_task(self._bad.run()) for _ in range(self._bad.workers)]
            tasks.append(self._group.create_task(self._stop_feeder(stopping)))
            self._progress.phase = "replaying"
            async with aclosing(source.pieces()) as pieces:
                await self._feeder.run(pieces)
            await self._settle()
            beating.cancel()
            if self._options.drain and not stopping.is_set() and self._progress.last_stamp:
                self._progress.phase = "draining"
                await self._heartbeats.drain(self._options, self._world.clock, self._world.sleep, stopping)
            for task in (beating, *tasks, *self._workers):
                task.cancel()
        await self._save(done=not stopping.is_set())
        await self._stream_time.leave(self._progress.last_stamp)

    async def _look_behind(self) -> set[bytes]:
        """Return the event ids behind the state's positions: of rows that were sent after it was saved."""
        if not self._resumed:
            return set()
        self._progress.phase = "resuming"
        since = to_datetime(parse_instant(self._state.since)) - SKEW
        until = to_datetime(parse_instant(self._state.saved_at)) + TAIL
        stream = self._world.stream

        async def look() -> set[bytes]:
            await stream.shards()
            await self._world.sleep(SETTLE_S)
            return await event_ids(stream, self._state.positions, since, until)

        there = await self._world.answered(look)
        _log.info("replay_resumed", confirmed=self._state.confirmed, behind=len(there))
        return there

    async def _build(self, there: set[bytes]) -> None:
        options, world = self._options, self._world
        delivery = Delivery(
            stream=world.stream,
            clock=world.clock,
            progress=self._progress,
            give_up_after_s=world.give_up_after_s,
            in_flight=asyncio.Semaphore(options.concurrency),
            sleep=world.sleep,
        )
        self._lanes = Lanes(
            await self._shards(),
            delivery,
            world.clock,
            most=1 if options.one_by_one else MAX_RECORDS,
            span=options.delay_ms if options.clock == "event" else None,
            accepted=self._accepted,
            positions=self._state.positions,
            highest=self._script.highest,
            resumed_since=to_datetime(parse_instant(self._state.since)) if self._resumed else None,
        )
        self._heartbeats = Heartbeats(self._lanes, self._progress, shift=self._script.shift)
        self._progress.last_stamp = self._state.last_stamp
        outlets = Outlets(lanes=self._lanes, bad=self._bad, heartbeats=self._heartbeats, relocate=self._relocate)
        self._feeder = Feeder(
            self._script,
            options,
            outlets,
            progress=self._progress,
            clock=world.clock,
            sleep=world.sleep,
            confirmed=self._state.confirmed,
            there=there,
        )

    async def _shards(self) -> list[Shard]:
        return await self._world.answered(self._world.stream.shards)

    def _accepted(self, taken: Sequence[tuple[Entry, Put]]) -> None:
        if taken and taken[0][0].event_id:  # a heartbeat is a request of its own
            self._progress.sent += len(taken)
            if self._on_sent is not None:
                for entry, put in taken:
                    self._on_sent(entry, put)

    async def _start_lanes(self) -> None:
        self._workers = [self._group.create_task(self._lanes.run(lane)) for lane in self._lanes.lanes]

    async def _settle(self) -> None:
        await self._lanes.idle()
        await self._bad.idle()

    async def _relocate(self) -> None:
        """Make lanes for the shards that there are now, once all that is on its way has arrived."""
        await self._settle()
        for worker in self._workers:
            worker.cancel()
        self._lanes.replace(await self._shards())
        await self._start_lanes()
        _log.info("shards_changed", shards=len(self._lanes.lanes))

    async def _beat(self) -> None:
        while True:
            reached = self._feeder.reached()
            if reached is not None:
                self._heartbeats.beat(reached)
            await self._world.sleep(EVERY_S)

    async def _watch_shards(self) -> None:
        while True:
            await self._world.sleep(SHARDS_EVERY_S)
            now = {shard.shard_id for shard in await self._shards()}
            self._lanes.resharded |= now != {lane.shard.shard_id for lane in self._lanes.lanes}

    async def _stop_feeder(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._feeder.stopped = True

    async def _save_often(self) -> None:
        while True:
            await self._world.sleep(SAVE_EVERY_S)
            try:
                await asyncio.shield(self._save(done=False))
                await self._stream_time.tell(self._progress.last_stamp)
            except StateError as error:
                _log.warning("state_not_saved", reason=str(error))
                if self._world.clock.monotonic() - self._saved_at > UNSAVED_S:
                    raise

    async def _save(self, *, done: bool) -> None:
        """Save how far the replay has come in order: every row before that is in its place.

        One save at a time, the last one last: a disk finishes what it has begun though nobody waits for it any more.
        """
        async with self._saving:
            await self._save_now(done=done)

    async def _save_now(self, *, done: bool) -> None:
        unfinished = (self._lanes.lowest(), self._bad.lowest())
        confirmed = min([low for low in unfinished if low is not None], default=self._feeder.index)
        confirmed = max(confirmed, self._state.confirmed)  # while rows done before are being passed over
        positions, since = self._lanes.floor(confirmed)
        state = msgspec.structs.replace(
            self._state,
            confirmed=confirmed,
            bad=self._state.bad + self._bad.before(confirmed),
            last_stamp=self._progress.last_stamp,
            positions=positions,
            since=format_instant(from_datetime(since)),
            saved_at=format_instant(from_datetime(self._world.clock.now())),
            done=done,
        )
        await self._world.states.save(state)
        self._bad.forget(confirmed)
        self._state, self._progress.confirmed = state, confirmed
        self._saved_at = self._world.clock.monotonic()
