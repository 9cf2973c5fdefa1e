"""Tells CloudWatch how current the counts are."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from servicekit.errors import RetryableError
from servicekit.logs import get_logger
from windower.figures import Figures
from windower.metrics import WindowerMetrics
from windower.ports import MetricSink

_log = get_logger(__name__)


class Reporter:
    """Puts figures now and again, in a task of its own: counting never waits for CloudWatch.

    What it does not take is dropped, counted and logged; late and bad records are told of the next time.
    """

    def __init__(
        self, sink: MetricSink, *, figures: Callable[[], Figures | None], metrics: WindowerMetrics, every: timedelta
    ) -> None:
        """Tell `sink` of what `figures` returns, unless that is None: who reads no shard has nothing to tell."""
        self._sink = sink
        self._figures = figures
        self._metrics = metrics
        self._every = every
        self._late = self._bad = 0  # told of

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await asyncio.sleep(self._every.total_seconds())
            await self.report()

    async def report(self) -> None:
        """Report once."""
        figures, late, bad = self._figures(), self._metrics.late, self._metrics.bad
        if figures is None:
            return
        try:
            await self._sink.put(figures, late=late - self._late, bad=bad - self._bad)
        except RetryableError as error:
            self._metrics.dropped()
            _log.warning("metrics_dropped", reason=str(error)[:300])
        else:
            self._late, self._bad = late, bad
