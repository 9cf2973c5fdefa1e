"""The real windower in this process: Faust, transport, `Worker`, `WindowUserActions`; put together as in its app."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import faust
import uvloop
from faust.contrib.asgi import faust_app_running

from bench.memory_aws import MemoryKinesis, MemoryTransport
from faust_kinesis.transport import Transport
from kinesis_wire.records import Page
from servicekit.clock import SystemClock
from storepulse.instants import to_milliseconds
from windower.adapters.kinesis_counts import KinesisCounts
from windower.adapters.memory import MemoryBadEvents
from windower.handlers import Windowing, WindowUserActions
from windower.metrics import WindowerMetrics
from windower.settings import WindowerSettings
from windower.worker import Worker, create_faust_app

Result = TypeVar("Result")

LOOK_EVERY_S = 0.01
PATIENCE_S = 600.0
SETTINGS = WindowerSettings(
    bad_events_queue="queue",
    bad_events_bucket="bucket",
    max_ahead=timedelta(days=366),  # all records in memory arrive at one moment
)


class InProcessWindower:
    """One life of the windower; bad events stay in memory."""

    def __init__(self, settings: WindowerSettings, transport: Callable[[faust.App], Transport] | None = None) -> None:
        """Read and write through what `transport` makes, by default through AWS's own clients."""
        self.settings = settings
        self.metrics = WindowerMetrics()
        self.bad_events = MemoryBadEvents()
        self.app: faust.App = create_faust_app(settings)
        if transport is not None:
            self.app.transport = transport(self.app)
        self.worker = Worker(
            self.app,
            make_handler=lambda restored: WindowUserActions(
                restored,
                windowing=Windowing(
                    size=to_milliseconds(settings.window),
                    delay=to_milliseconds(settings.watermark_delay),
                    limit=settings.limit,
                    max_ahead=to_milliseconds(settings.max_ahead),
                    max_replay_ahead=to_milliseconds(settings.max_replay_ahead),
                ),
                counts=KinesisCounts(self.app.producer.put_batch, settings.sink_stream),
                bad_events=self.bad_events,
                metrics=self.metrics,
                clock=SystemClock(),
            ),
            settings=settings,
            metrics=self.metrics,
            clock=SystemClock(),
        )

    def sample(self, name: str, **labels: str) -> float:
        """Return a metric's value now, 0 when it has none yet."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def counts(self) -> int:
        """Return how many counts are delivered, early ones included."""
        return int(sum(self.sample("windower_counts_total", kind=kind) for kind in ("final", "early")))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start it, and stop it at the end."""
        async with faust_app_running(self.app):
            yield

    async def until(self, true: Callable[[], object]) -> None:
        """Return when `true()`; until then, look around as the service does.

        Raises:
            TimeoutError: it did not become true, for minutes.
            Exception: what the application crashed with.
        """
        deadline = time.monotonic() + PATIENCE_S
        looked = 0.0
        while not true():
            await asyncio.sleep(LOOK_EVERY_S)
            if self.app.crashed:
                raise self.app.crash_reason or RuntimeError("crashed")
            if time.monotonic() > deadline:
                msg = f"in vain for {PATIENCE_S:.0f} s; {self.counts()} counts are written"
                raise TimeoutError(msg)
            if time.monotonic() - looked > 1:
                looked = time.monotonic()
                await self.worker.look_around()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run took, from the first GetRecords to the last PutRecords, and what it wrote."""

    cpu_s: float
    written: list[bytes]


def run_in_memory(shards: Sequence[Sequence[Page]], counts: int, **options: object) -> Run:
    """Run a windower over `shards` until `counts` counts are written; `options` replace those of its broker URL."""
    kinesis = MemoryKinesis(shards)
    on_uvloop(
        _life,
        partial(MemoryTransport, kinesis=kinesis, options={"reads": 1000} | options),
        lambda: len(kinesis.taken) >= counts,  # not by its metrics: to ask for them often costs more than to count
    )
    return Run(cpu_s=kinesis.last_put_cpu_s - kinesis.first_read_cpu_s, written=kinesis.taken)


async def _life(transport: Callable[[faust.App], Transport], is_done: Callable[[], bool]) -> None:
    windower = InProcessWindower(SETTINGS, transport)
    async with windower.running():
        await windower.until(is_done)


def on_uvloop(main: Callable[..., Coroutine[Any, Any, Result]], *arguments: object) -> Result:
    """Run the coroutine function `main` on the loop that the service has."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main(*arguments))
