"""What CloudWatch is told of the windower."""

import asyncio
from datetime import timedelta

from servicekit.errors import RetryableError
from windower.adapters.memory import MemoryMetrics
from windower.figures import Figures
from windower.metrics import WindowerMetrics
from windower.reporting import Reporter

FIGURES = Figures(watermark_age=1.5, oldest_unacknowledged=20, millis_behind={"shard-0": 7}, paused_shards=1)
DROPPED = "windower_metric_sets_dropped_total"


class Refusing(MemoryMetrics):
    """Takes nothing as long as it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = False
        self.refused, self.took = asyncio.Event(), asyncio.Event()

    async def put(self, figures: Figures, *, late: int, bad: int) -> None:
        (self.refused if self.refuses else self.took).set()
        if self.refuses:
            msg = "throttled"
            raise RetryableError(msg)
        await super().put(figures, late=late, bad=bad)


def reporter(sink: MemoryMetrics, metrics: WindowerMetrics, figures: Figures | None = FIGURES) -> Reporter:
    return Reporter(sink, figures=lambda: figures, metrics=metrics, every=timedelta(milliseconds=1))


async def test_late_and_bad_records_are_told_of_once_also_when_a_set_was_dropped() -> None:
    sink, metrics = Refusing(), WindowerMetrics()
    reports = reporter(sink, metrics)
    metrics.late, metrics.bad = 3, 1
    await reports.report()
    metrics.late = 5
    sink.refuses = True
    await reports.report()
    metrics.bad = 2
    sink.refuses = False
    await reports.report()
    await reports.report()
    assert sink.taken == [(FIGURES, 3, 1), (FIGURES, 2, 1), (FIGURES, 0, 0)]
    assert metrics.registry.get_sample_value(DROPPED) == 1


async def test_a_worker_that_reads_no_shard_tells_nothing() -> None:
    sink = MemoryMetrics()
    await reporter(sink, WindowerMetrics(), None).report()
    assert sink.taken == []


async def test_it_goes_on_after_a_set_that_was_dropped() -> None:
    sink = Refusing()
    sink.refuses = True
    running = asyncio.create_task(reporter(sink, WindowerMetrics()).run())
    async with asyncio.timeout(20):
        await sink.refused.wait()
        sink.refuses = False
        await sink.took.wait()
    running.cancel()
