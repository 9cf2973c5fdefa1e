"""The four numbers that every service reports, and how those of child processes are gathered.

`seconds_since_checkpoint` is computed when it is scraped, so that it grows while a service hangs. What is stored is the
wall time of the last checkpoint, `<service>_last_checkpoint_time_seconds`: child processes can share that through
prometheus_client's files, but not a gauge with a callback (`set_function` is never called from another process).
`_WithCheckpointAge` adds the promised gauge to whatever holds the time, in one process and over many alike.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from servicekit.clock import Clock, SystemClock

_AGE_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 86400)


class ServiceMetrics:
    """One service's records, their age, its lag and its last checkpoint; prometheus names start with the service's.

    In a child process (`PROMETHEUS_MULTIPROC_DIR` set before the start) the numbers go to files, and `ChildMetrics`
    in the parent shows them.
    """

    def __init__(self, service: str, registry: CollectorRegistry | None = None, clock: Clock | None = None) -> None:
        """Register the four metrics in `registry`, a new one by default; the start counts as a checkpoint."""
        self.registry = registry if registry is not None else CollectorRegistry()
        self._clock: Clock = clock or SystemClock()
        self._lag: dict[str, float] = {}
        self._records = Counter(
            f"{service}_records", "Records by what became of them", ["outcome"], registry=self.registry
        )
        self._record_age = Histogram(
            f"{service}_record_age_seconds",
            "Time from txn_timestamp to here, of each batch's oldest record",
            buckets=_AGE_BUCKETS,
            registry=self.registry,
        )
        self._worst_lag = Gauge(
            f"{service}_millis_behind_latest",
            "How far the worst shard is behind the end of the stream",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._checkpoint_time = Gauge(
            _checkpoint_time_name(service),
            "Wall time of the last checkpoint (of the child that is furthest behind)",
            registry=None,
            multiprocess_mode="livemin",
        )
        self.registry.register(_WithCheckpointAge(self._checkpoint_time, service, self._clock))
        self.checkpointed()

    def records(self, outcome: str, n: int = 1) -> None:
        """Count `n` records that ended as `outcome`, one of the service's few fixed words."""
        self._records.labels(outcome).inc(n)

    def record_age(self, seconds: float) -> None:
        """Observe how old a record is on arrival, in seconds; once per batch, its oldest."""
        self._record_age.observe(max(seconds, 0.0))

    def millis_behind(self, shard: str, millis: float) -> None:
        """Note how far `shard` is behind the end of its stream, in milliseconds; the worst shard is shown."""
        self._lag[shard] = millis
        self._worst_lag.set(max(self._lag.values()))

    def lags(self, millis: Mapping[str, float]) -> None:
        """Note how far each shard that is read is behind, in milliseconds; any other shard is forgotten."""
        self._lag = dict(millis)
        self._worst_lag.set(max(self._lag.values(), default=0.0))

    def forget_shard(self, shard: str) -> None:
        """Stop counting the lag of a shard that ended or that another worker took."""
        self._lag.pop(shard, None)
        self._worst_lag.set(max(self._lag.values(), default=0.0))

    def checkpointed(self, at: datetime | None = None) -> None:
        """Note that everything up to here is safe, now or `at` an aware wall time."""
        self._checkpoint_time.set((at or self._clock.now()).timestamp())


class ChildMetrics:
    """Shows in the parent what the children's `ServiceMetrics` wrote to `directory`.

    The parent runs without `PROMETHEUS_MULTIPROC_DIR`, sets it for its children, and calls `forget` when one ended.
    """

    def __init__(self, service: str, directory: Path, clock: Clock | None = None) -> None:
        """Gather from `directory`, which exists and was emptied at the parent's start."""
        self._directory = str(directory)
        self._collector = MultiProcessCollector(None, self._directory)  # type: ignore[no-untyped-call] # not typed
        self._service = service
        self._clock: Clock = clock or SystemClock()

    def register(self, registry: CollectorRegistry) -> None:
        """Show the children's numbers in `registry`, next to the parent's own; every scrape reads the files anew."""
        registry.register(_WithCheckpointAge(self._collector, self._service, self._clock))

    def forget(self, pid: int) -> None:
        """Drop the lag and the checkpoint of a child that ended; what it counted stays counted."""
        mark_process_dead(pid, self._directory)  # type: ignore[no-untyped-call] # not typed


class _WithCheckpointAge(Collector):
    """Passes on all metrics of `source`, and adds the age of the last checkpoint when its time is among them."""

    def __init__(self, source: Collector, service: str, clock: Clock) -> None:
        self._source = source
        self._service = service
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        for metric in self._source.collect():
            yield metric
            if metric.name == _checkpoint_time_name(self._service) and metric.samples:
                oldest = min(sample.value for sample in metric.samples)
                age = max(self._clock.now().timestamp() - oldest, 0.0)
                name = f"{self._service}_seconds_since_checkpoint"
                yield GaugeMetricFamily(name, "Age of the last checkpoint, or of the start", value=age)


def _checkpoint_time_name(service: str) -> str:
    return f"{service}_last_checkpoint_time_seconds"
