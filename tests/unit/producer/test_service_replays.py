"""Resuming over HTTP when the state is not to be had."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from producer.adapters.memory import MemoryStates
from producer.api import add_replays
from producer.errors import StateError
from producer.metrics import ProducerMetrics
from producer.ports import StateStore
from producer.replays import Replays
from producer.stamps import Stamps
from producer.state import ReplayState
from servicekit.health import Health
from storepulse.instants import from_datetime
from tests.unit.producer.builders import csv_text, row
from tests.unit.producer.playing import play
from tests.unit.producer.world import NOW, URL, Memory, options


class AwayStates(MemoryStates):
    """States in a bucket that does not answer."""

    async def load(self, replay_id: str) -> ReplayState | None:
        msg = f"the state {replay_id} cannot be read: no answer"
        raise StateError(msg)


@pytest.fixture
async def memory() -> Memory:
    made = Memory(csv_text([row(0)]))
    await play(made, options(speed="max"))
    return made


@asynccontextmanager
async def service(memory: Memory, states: StateStore) -> AsyncIterator[httpx.AsyncClient]:
    """Run the service's replays over `states`, and yield a client of them."""
    stop, replays, api = asyncio.Event(), Replays(ProducerMetrics(), Health(timedelta(seconds=30))), FastAPI()
    add_replays(api, replays)
    task = asyncio.create_task(replays.run(dataclasses.replace(memory.world, states=states), stop))
    await asyncio.sleep(0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://producer") as http:
        yield http
    stop.set()
    await task


async def test_a_state_that_cannot_be_read_now_is_not_told_as_one_that_does_not_exist(memory: Memory) -> None:
    async with service(memory, AwayStates()) as http:
        answer = await http.post("/replays/r/resume")
    assert (answer.status_code, "no answer" in answer.json()["detail"]) == (503, True)


async def test_a_replay_whose_rows_would_be_late_is_refused_with_the_moment_from_which_they_are_not(
    memory: Memory,
) -> None:
    memory.stamps.stamps = Stamps(highest=from_datetime(NOW + timedelta(hours=1)))
    body = {"sources": [URL], "speed": "max"}
    async with service(memory, memory.states) as http:
        refused = await http.post("/replays", json=body)
        resumed = await http.post("/replays/r/resume")
        started = await http.post("/replays", json=body | {"allow_late": True})
    assert (refused.status_code, "can run from 2026-01-01T00:59:50.000Z on" in refused.json()["detail"]) == (409, True)
    assert (resumed.status_code, started.status_code) == (409, 201)


async def test_a_state_with_options_of_another_version_is_refused_in_words(memory: Memory) -> None:
    state = memory.states.states["r"]
    memory.states.states["r"] = msgspec.structs.replace(state, options='{"sources": ["x"], "warp": 9}')
    async with service(memory, memory.states) as http:
        answer = await http.post("/replays/r/resume")
    assert (answer.status_code, "options are unknown" in answer.json()["detail"]) == (404, True)
