"""A replay that is killed again while it finds out what has arrived, and one whose state is slow to be kept."""

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence

import pytest

from producer.adapters.memory import MemoryStates
from producer.errors import UnreachableError
from producer.ports import Entry, Put
from producer.replay import Replay
from producer.state import ReplayState
from tests.unit.producer.builders import csv_text, row
from tests.unit.producer.playing import play
from tests.unit.producer.world import FaultyStream, Memory, Time, options


class OneShardAway(FaultyStream):
    """Takes nothing into the shard of the first row while `away`."""

    away = True
    first_key = ""

    async def put(self, entries: Sequence[Entry]) -> list[Put]:
        keys = [entry.key for entry in entries if entry.event_id]
        self.first_key = self.first_key or (keys[0] if keys else "")
        if self.away and self.first_key in keys:
            raise UnreachableError
        return await super().put(entries)


@pytest.mark.parametrize("lives", [1, 2, 3])
@pytest.mark.parametrize("turns", [20, 40, 80])
async def test_killed_again_before_it_has_passed_what_was_there_it_doubles_nothing(lives: int, turns: int) -> None:
    rows = [row(n // 10, user=n, category=n % 2) for n in range(200)]
    memory = Memory(csv_text(rows))
    stream = OneShardAway(memory.time)
    memory.stream, memory.world = stream, dataclasses.replace(memory.world, stream=stream)
    await play(memory, options(clock="event", rate=20), turns=200)
    assert len(stream.rows()) > 20
    stream.away = False
    for _ in range(lives):
        await play(memory, options(clock="event", rate=2), resume=True, turns=turns)
    await play(memory, options(clock="event", speed="max"), resume=True)
    assert set(Counter(each["event_id"] for each in stream.rows()).values()) == {1}
    assert len(stream.rows()) == len(rows)


class SlowStates(MemoryStates):
    """A disk that takes its time, and finishes what it has begun whether or not anybody waits for it."""

    time: Time
    writing = 0
    overlaps = 0

    async def save(self, state: ReplayState) -> None:
        await asyncio.shield(asyncio.ensure_future(self._write(state)))

    async def _write(self, state: ReplayState) -> None:
        self.writing += 1
        self.overlaps += self.writing > 1
        await self.time.sleep(0.7 if not state.done else 0.1)
        self.writing -= 1
        await super().save(state)


async def test_the_last_state_is_kept_after_all_others_however_slow_the_disk_is() -> None:
    for last in range(20):
        memory = Memory(csv_text([row(0), row(1), row(2 + last // 10)]))
        states = SlowStates()
        states.time = memory.time
        replay = Replay(
            "r", options(clock="event", rate=1 + last / 10), dataclasses.replace(memory.world, states=states)
        )
        task = asyncio.create_task(replay.run())
        await memory.time.pass_until(task)
        await task
        idle = asyncio.create_task(memory.time.sleep(5))
        await memory.time.pass_until(idle)
        assert (states.states["r"].done, states.overlaps) == (True, 0)
