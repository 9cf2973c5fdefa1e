"""Puts the producer together; the only importer of adapters."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from servicekit.clock import SystemClock

from producer.adapters.file_sources import FileSources
from producer.adapters.file_states import FileStates
from producer.adapters.kinesis_stream import connect
from producer.adapters.routed_sources import OneBucket, RoutedSources
from producer.adapters.s3_sources import S3Sources
from producer.adapters.s3_states import S3States
from producer.adapters.sqs_bad_events import SqsBadEvents
from producer.run import World
from producer.settings import ProducerSettings


@asynccontextmanager
async def command_world(settings: ProducerSettings, state_file: Path | None) -> AsyncIterator[World]:
    """Yield the world of the command line: S3 and this machine's files, states in files."""
    async with AsyncExitStack() as stack:
        world, s3 = await _connect(stack, settings)
        yield World(
            sources=RoutedSources(s3=S3Sources(s3), paths=FileSources()),
            states=FileStates(settings.state_folder, state_file),
            **world,
        )


@asynccontextmanager
async def service_world(settings: ProducerSettings) -> AsyncIterator[World]:
    """Yield the world of the service: the raw bucket alone, states in it."""
    async with AsyncExitStack() as stack:
        world, s3 = await _connect(stack, settings)
        yield World(
            sources=OneBucket(S3Sources(s3), settings.raw_bucket),
            states=S3States(s3, settings.raw_bucket),
            **world,
        )


async def _connect(stack, settings):
    endpoint = None if settings.endpoint_url is None else str(settings.endpoint_url)
    config = AioConfig(
        region_name=settings.region,
        connect_timeout=5,
        read_timeout=settings.request_timeout_s,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path"} if endpoint else {},
    )
    session = get_session()
    s3 = await stack.enter_async_context(session.create_client("s3", endpoint_url=endpoint, config=config))
    sqs = await stack.enter_async_context(session.create_client("sqs", endpoint_url=endpoint, config=config))
    stream = await stack.enter_async_context(
        connect(
            settings.stream,
            region=settings.region,
            endpoint_url=endpoint,
            timeout_s=settings.request_timeout_s,
            connections=128,
        )
    )
    bad = SqsBadEvents(
        sqs, s3, queue=settings.bad_events_queue, bucket=settings.raw_bucket, give_up_after_s=settings.give_up_after_s
    )
    return dict(stream=stream, bad_events=bad, clock=SystemClock(), give_up_after_s=settings.give_up_after_s), s3
