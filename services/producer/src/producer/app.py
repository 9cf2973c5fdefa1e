"""Puts the producer together; the only importer of adapters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError

from dead_letters.patience import Patience
from dead_letters.sink import DeadLetters
from producer.adapters.file_sources import FileSources
from producer.adapters.file_states import FileStates
from producer.adapters.kinesis_stream import KinesisStream, connect
from producer.adapters.routed_sources import OneBucket, RoutedSources
from producer.adapters.s3_sources import S3Sources
from producer.adapters.s3_stamps import S3Stamps
from producer.adapters.s3_states import S3States
from producer.adapters.sqs_bad_events import SqsBadEvents
from producer.api import add_replays
from producer.errors import ReplayError
from producer.metrics import ProducerMetrics
from producer.replays import Replays
from producer.run import World
from producer.settings import ProducerSettings
from servicekit.api import build_api
from servicekit.clock import SystemClock
from servicekit.health import Health
from servicekit.lifecycle import run_service

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_sqs.client import SQSClient

LIVE_WITHIN = timedelta(seconds=30)
_CONNECTIONS = 80  # the most requests in flight that a replay may ask for, and some


@dataclass(frozen=True)
class _Aws:
    stream: KinesisStream
    s3: "S3Client"
    sqs: "SQSClient"
    bad_events: SqsBadEvents


@asynccontextmanager
async def command_world(settings: ProducerSettings, state_file: Path | None) -> AsyncIterator[World]:
    """Yield the world of the command line: S3 and this machine's files, states in files.

    Raises:
        ReplayError: the user's own AWS settings are wrong, such as a profile that does not exist.
    """
    async with AsyncExitStack() as stack:
        try:
            aws = await stack.enter_async_context(_connected(settings))
        except BotoCoreError as error:
            msg = f"AWS cannot be used from here: {error}"
            raise ReplayError(msg) from error
        yield World(
            stream=aws.stream,
            sources=RoutedSources(s3=S3Sources(aws.s3), paths=FileSources()),
            bad_events=aws.bad_events,
            states=FileStates(settings.state_folder, state_file),
            stamps=S3Stamps(aws.s3, settings.raw_bucket, settings.stream),
            clock=SystemClock(),
            give_up_after_s=settings.give_up_after_s,
        )


def serve(settings: ProducerSettings) -> None:
    """Run the service until a signal.

    Raises:
        SystemExit: code 1, it failed or its address cannot be had.
    """
    clock = SystemClock()
    health, metrics = Health(LIVE_WITHIN, clock), ProducerMetrics()
    replays = Replays(metrics, health)
    api = build_api("producer", health, metrics.registry)
    add_replays(api, replays)

    async def main(stop: asyncio.Event) -> None:
        async with _connected(settings) as aws:
            _add_checks(health, aws, settings)
            world = World(
                stream=aws.stream,
                sources=OneBucket(S3Sources(aws.s3), settings.raw_bucket),
                bad_events=aws.bad_events,
                states=S3States(aws.s3, settings.raw_bucket),
                stamps=S3Stamps(aws.s3, settings.raw_bucket, settings.stream),
                clock=clock,
                give_up_after_s=settings.give_up_after_s,
            )
            await replays.run(world, stop)

    run_service(main, api, settings.host, settings.port, loop_factory=uvloop.new_event_loop)


def _add_checks(health: Health, aws: _Aws, settings: ProducerSettings) -> None:
    health.add_check("kinesis", aws.stream.shards)
    health.add_check("raw_bucket", lambda: aws.s3.head_bucket(Bucket=settings.raw_bucket))
    health.add_check("bad_events_queue", lambda: aws.sqs.get_queue_url(QueueName=settings.bad_events_queue))


@asynccontextmanager
async def _connected(settings: ProducerSettings) -> AsyncIterator[_Aws]:
    endpoint = None if settings.endpoint_url is None else str(settings.endpoint_url)
    config = AioConfig(
        region_name=settings.region,
        connect_timeout=5,
        read_timeout=settings.request_timeout_s,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    stream = connect(
        settings.stream,
        region=settings.region,
        endpoint_url=endpoint,
        timeout_s=settings.request_timeout_s,
        connections=_CONNECTIONS,
    )
    session = get_session()
    async with AsyncExitStack() as stack:
        s3 = await stack.enter_async_context(session.create_client("s3", endpoint_url=endpoint, config=config))
        sqs = await stack.enter_async_context(session.create_client("sqs", endpoint_url=endpoint, config=config))
        patience = Patience(give_up_after_s=settings.give_up_after_s)
        letters = DeadLetters(
            sqs=sqs, s3=s3, queue=settings.bad_events_queue, bucket=settings.raw_bucket, patience=patience
        )
        yield _Aws(await stack.enter_async_context(stream), s3, sqs, SqsBadEvents(letters))
