"""Puts the windower together."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import faust
from fastapi import FastAPI
from faust.contrib.asgi import faust_app_running

from dead_letters.patience import Patience
from dead_letters.sink import DeadLetters
from servicekit.api import build_api
from servicekit.clock import SystemClock
from servicekit.health import Health
from storepulse.instants import to_milliseconds
from windower.adapters.aws_clients import AwsClients, open_clients
from windower.adapters.cloudwatch_metrics import CloudwatchMetrics
from windower.adapters.kinesis_counts import KinesisCounts
from windower.handlers import Windowing, WindowUserActions
from windower.metrics import SERVICE, WindowerMetrics
from windower.ports import BadEventSink
from windower.reporting import Reporter
from windower.settings import WindowerSettings
from windower.worker import Worker, create_faust_app

LIVE_WITHIN = timedelta(seconds=30)
LOOK_AROUND_EVERY = timedelta(seconds=1)


class Windower:
    """The service: `api` is its operations page, `run` its work."""

    def __init__(self, settings: WindowerSettings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._metrics = WindowerMetrics()
        self._clock = SystemClock()
        self._health = Health(live_within=LIVE_WITHIN)
        self._health.add_check("leases", self._leases_are_kept)  # from the first moment: nothing is ready before it is
        self._faust_app: faust.App | None = None
        self.api: FastAPI = build_api(SERVICE, self._health, self._metrics.registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set.

        Raises:
            Exception: what the Faust application crashed with.
        """
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self._beat())
            try:
                await self._count(stop)
            finally:
                beating.cancel()

    async def _count(self, stop: asyncio.Event) -> None:
        endpoint = self._settings.endpoint_url
        async with open_clients(
            region=self._settings.region, endpoint_url=None if endpoint is None else str(endpoint)
        ) as clients:
            faust_app = create_faust_app(self._settings)
            patience = Patience(stopping=lambda: stop.is_set() or faust_app.crashed)
            letters = self._dead_letters(clients, patience)
            self._add_checks(clients, letters)
            await letters.find_queue()  # or end: without it nothing can be set aside
            worker = self._worker(faust_app, letters)
            self._faust_app = faust_app
            async with faust_app_running(faust_app):
                await self._until_stopped(faust_app, worker, self._reporter(clients, worker), stop)
            if faust_app.crashed:
                raise faust_app.crash_reason or RuntimeError("the Faust application crashed")

    async def _beat(self) -> None:
        """Say that the loop turns, whatever it waits for: an outage of AWS is no reason to be restarted."""
        while True:
            self._health.beat()
            await asyncio.sleep(LOOK_AROUND_EVERY.total_seconds())

    def _worker(self, faust_app: faust.App, bad_events: BadEventSink) -> Worker:
        settings = self._settings
        windowing = Windowing(
            size=to_milliseconds(settings.window),
            delay=to_milliseconds(settings.watermark_delay),
            limit=settings.limit,
            max_ahead=to_milliseconds(settings.max_ahead),
            max_replay_ahead=to_milliseconds(settings.max_replay_ahead),
        )
        return Worker(
            faust_app,
            make_handler=lambda restored: WindowUserActions(
                restored,
                windowing=windowing,
                counts=KinesisCounts(faust_app.producer.put_batch, settings.sink_stream),
                bad_events=bad_events,
                metrics=self._metrics,
                clock=self._clock,
            ),
            settings=settings,
            metrics=self._metrics,
            clock=self._clock,
        )

    def _reporter(self, clients: AwsClients, worker: Worker) -> Reporter:
        sink, every = CloudwatchMetrics(clients.cloudwatch), self._settings.metrics_interval
        return Reporter(sink, figures=worker.figures, metrics=self._metrics, every=every)

    async def _until_stopped(
        self, faust_app: faust.App, worker: Worker, reporter: Reporter, stop: asyncio.Event
    ) -> None:
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look_around(faust_app, worker))
            reporting = group.create_task(reporter.run())
            while not (stop.is_set() or faust_app.crashed or faust_app.should_stop):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_AROUND_EVERY.total_seconds())
            looking.cancel()  # it may be waiting for AWS
            reporting.cancel()

    async def _look_around(self, faust_app: faust.App, worker: Worker) -> None:
        while True:
            await worker.look_around()
            age = timedelta(seconds=faust_app.consumer.seconds_since_commit())
            self._metrics.service.checkpointed(self._clock.now() - age)
            await asyncio.sleep(LOOK_AROUND_EVERY.total_seconds())

    def _dead_letters(self, clients: AwsClients, patience: Patience) -> DeadLetters:
        queue, bucket = self._settings.bad_events_queue, self._settings.bad_events_bucket
        return DeadLetters(sqs=clients.sqs, s3=clients.s3, queue=queue, bucket=bucket, patience=patience)

    def _add_checks(self, clients: AwsClients, letters: DeadLetters) -> None:
        settings, kinesis = self._settings, clients.kinesis

        async def queue_answers() -> None:
            await clients.sqs.get_queue_attributes(QueueUrl=await letters.find_queue())

        self._health.add_check("bad_events_queue", queue_answers)
        self._health.add_check("source_stream", _exists(kinesis.describe_stream_summary, settings.source_stream))
        self._health.add_check("sink_stream", _exists(kinesis.describe_stream_summary, settings.sink_stream))
        self._health.add_check("lease_table", lambda: clients.dynamodb.describe_table(TableName=settings.app_id))

    async def _leases_are_kept(self) -> None:
        if self._faust_app is None:
            msg = "it has not started to read"
            raise RuntimeError(msg)
        if not self._faust_app.consumer.ready:
            msg = "shards are being dealt out, or the leases could not be renewed in time"
            raise RuntimeError(msg)


def _exists(describe: Callable[..., Awaitable[object]], stream: str) -> Callable[[], Awaitable[object]]:
    return lambda: describe(StreamName=stream)


def build(settings: WindowerSettings) -> Windower:
    """Return the windower that `settings` describe."""
    return Windower(settings)
