"""The windower's ports, over memory and over the emulated AWS, each with a way to see what it holds."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from storepulse.activity.counts import WindowCount
from tests.emulator import Emulator
from tests.streams import read_counts
from windower.adapters.kinesis_counts import KinesisCounts
from windower.adapters.memory import MemoryCounts
from windower.ports import CountSink
from windower.settings import WindowerSettings
from windower.worker import create_faust_app


@dataclass(frozen=True, slots=True)
class Counts:
    """A sink of counts, and what it was given so far."""

    sink: CountSink
    taken: Callable[[], list[WindowCount]]


@pytest.fixture(params=["memory", "emulator"])
async def counts(request: pytest.FixtureRequest) -> AsyncIterator[Counts]:
    if request.param == "memory":
        memory = MemoryCounts()
        yield Counts(memory, lambda: memory.taken)
        return
    aws: Emulator = request.getfixturevalue("aws")
    stream = f"contract-{uuid4().hex[:8]}"
    aws.client("kinesis").create_stream(StreamName=stream, ShardCount=2)
    producer = create_faust_app(
        WindowerSettings(app_id=stream, bad_events_queue="none", bad_events_bucket="none")
    ).producer
    await producer.on_start()
    yield Counts(KinesisCounts(producer.put_batch, stream), lambda: read_counts(aws.client("kinesis"), stream))
    await producer.on_stop()
