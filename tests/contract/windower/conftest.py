"""The windower's ports, over memory and over the emulated AWS, each with a way to see what it holds."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from faust_kinesis.backoff import Patience
from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent
from tests.emulator import REGION, Emulator
from tests.streams import drain_bad_events, read_counts
from windower.adapters.aws_clients import open_clients
from windower.adapters.kinesis_counts import KinesisCounts
from windower.adapters.memory import MemoryBadEvents, MemoryCounts
from windower.adapters.sqs_bad_events import SqsBadEvents
from windower.ports import BadEventSink, CountSink
from windower.settings import WindowerSettings
from windower.worker import create_faust_app


@dataclass(frozen=True, slots=True)
class Counts:
    """A sink of counts, and what it was given so far."""

    sink: CountSink
    taken: Callable[[], list[WindowCount]]


@dataclass(frozen=True, slots=True)
class BadEvents:
    """A sink of bad events, and what it was given so far, with bytes that were moved to S3 back in place."""

    sink: BadEventSink
    taken: Callable[[], list[BadEvent]]


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


@asynccontextmanager
async def sqs_bad_events(aws: Emulator, endpoint: str) -> AsyncIterator[BadEvents]:
    """Yield the sink over a queue and a bucket of its own, calling `endpoint`."""
    name = f"contract-{uuid4().hex[:8]}"
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    aws.client("s3").create_bucket(Bucket=name)
    patience = Patience(sleep=asyncio.sleep, stopping=lambda: False, log=logging.getLogger(__name__))
    async with open_clients(region=REGION, endpoint_url=endpoint) as clients:
        sink = SqsBadEvents(sqs=clients.sqs, s3=clients.s3, queue_url=queue, bucket=name, patience=patience)
        yield BadEvents(sink, lambda: drain_bad_events(aws.client("sqs"), queue))


@pytest.fixture(params=["memory", "emulator"])
async def bad_events(request: pytest.FixtureRequest) -> AsyncIterator[BadEvents]:
    if request.param == "memory":
        memory = MemoryBadEvents()
        yield BadEvents(memory, lambda: list(memory.taken))
        return
    aws: Emulator = request.getfixturevalue("aws")
    async with sqs_bad_events(aws, aws.url) as over_sqs:
        yield over_sqs
