"""A replay's world in memory, with time that passes only when everything waits, and a stream that fails on demand."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from producer.adapters.memory import MemoryBadEvents, MemorySources, MemoryStamps, MemoryStates, MemoryStream
from producer.errors import UnansweredError, UnreachableError
from producer.options import ReplayOptions
from producer.ports import Entry, Put, Shard
from producer.run import World
from servicekit.clock import ManualClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "s3://raw/events.csv"
Fault = Literal["lost_before", "lost_after", "unreachable", "refuse_some", "refuse_all"]
_TURNS = 40  # of the loop, until everything in memory waits


class Time:
    """A clock whose `sleep` returns at once, in the order in which the sleepers would wake."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.clock.monotonic() + seconds, next(self._order), woken))
        await woken

    async def pass_until(self, done: asyncio.Future[Any], turns: int = 1_000_000) -> None:
        """Let time pass until `done`, or for so many wake-ups."""
        for _ in range(turns):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
                if done.done():
                    return
            while self._sleepers:
                at, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    self.clock.advance(timedelta(seconds=max(at - self.clock.monotonic(), 0.0)))
                    woken.set_result(None)
                    break


class FaultyStream(MemoryStream):
    """Fails in the given ways, one a request, and then no more."""

    def __init__(self, time: Time, faults: Iterable[Fault | None] = (), shards: int = 2) -> None:
        super().__init__(shards, time.clock)
        self._time = time
        self.faults: Iterator[Fault | None] = iter(faults)
        self.in_flight: set[str] = set()
        self.overlaps = 0  # requests with a key that another in flight has

    async def put(self, entries: Sequence[Entry]) -> list[Put]:
        keys = {entry.key for entry in entries if entry.event_id}
        self.overlaps += bool(keys & self.in_flight)
        self.in_flight |= keys
        try:
            await self._time.sleep(0.01)
            return await self._answer(entries)
        finally:
            self.in_flight -= keys

    async def _answer(self, entries: Sequence[Entry]) -> list[Put]:
        match next(self.faults, None):
            case "lost_before":
                raise UnansweredError
            case "lost_after":
                await super().put(entries)
                raise UnansweredError
            case "unreachable":
                raise UnreachableError
            case "refuse_all":
                return [Put("", "", "ProvisionedThroughputExceededException") for _ in entries]
            case "refuse_some":
                return [
                    Put("", "", "InternalFailure") if number % 3 == 0 else (await MemoryStream.put(self, [entry]))[0]
                    for number, entry in enumerate(entries)
                ]
            case None:
                return await super().put(entries)

    async def tail(self, after: Mapping[str, str], since: datetime, until: datetime) -> AsyncGenerator[bytes, None]:
        async for payload in super().tail(after, since, until):
            yield payload

    def sent(self) -> dict[str, list[dict[str, Any]]]:
        """Return the records of each shard, heartbeats included."""
        return {shard: [msgspec.json.decode(each.payload) for each in found] for shard, found in self.records.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows."""
        return [each for found in self.sent().values() for each in found if each["event_type"] != "heartbeat"]


class Memory:
    """Everything that a replay of one file acts on."""

    def __init__(self, content: bytes, faults: Iterable[Fault | None] = (), shards: int = 2) -> None:
        self.time = Time()
        self.stream = FaultyStream(self.time, faults, shards)
        self.sources = MemorySources({URL: content}, piece=4096)
        self.bad_events, self.states, self.stamps = MemoryBadEvents(), MemoryStates(), MemoryStamps()
        self.world = World(
            stream=self.stream,
            sources=self.sources,
            bad_events=self.bad_events,
            states=self.states,
            stamps=self.stamps,
            clock=self.time.clock,
            sleep=self.time.sleep,
        )


def options(**given: object) -> ReplayOptions:
    """Return options for the one file."""
    return ReplayOptions.model_validate({"sources": [URL], **given})


def open_shards(stream: MemoryStream) -> list[Shard]:
    """Return the shards of `stream`."""
    return asyncio.run(stream.shards())
