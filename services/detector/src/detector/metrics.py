"""Every metric of the detector (catalogue: README.md)."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram

from detector.figures import Lag
from detector.handlers import SERVICE, Outcome
from detector.kcl.supervisor import Ending
from servicekit.clock import Clock
from servicekit.metrics import ChildMetrics, ServiceMetrics

_LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_BATCH_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ShardMetrics(ServiceMetrics):
    """A child's metrics, of its one shard."""

    def __init__(self, clock: Clock, registry: CollectorRegistry | None = None) -> None:
        """Register them."""
        super().__init__(SERVICE, registry, clock)
        self._windows = Counter("detector_windows", "Window counts", ["kind"], registry=self.registry)
        self._windows_left_out = Counter(
            "detector_windows_left_out", "Final counts below DETECTOR_STORE_FROM", registry=self.registry
        )
        self._actions_left_out = Counter("detector_actions_left_out", "Actions in them", registry=self.registry)
        self._alerts = Counter("detector_alerts", "Alerts settled", ["status"], registry=self.registry)
        self._latency = Histogram(
            "detector_alert_latency_seconds",
            "From a count's arrival in stream 2 to its alert's publication",
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        self._dropped = Counter("detector_metric_sets_dropped", "Not taken by CloudWatch", registry=self.registry)
        self._batch = Histogram(
            "detector_batch_seconds", "Handling of one batch", buckets=_BATCH_BUCKETS, registry=self.registry
        )

    def batch(self, outcome: Outcome, seconds: float) -> None:
        """Note what became of one batch, and how long it took."""
        self.records("counted", outcome.finals + outcome.earlies)
        self.records("bad", len(outcome.bad))
        self._windows.labels("final").inc(outcome.finals)
        self._windows.labels("early").inc(outcome.earlies)
        self._windows_left_out.inc(outcome.windows_left_out)
        self._actions_left_out.inc(outcome.actions_left_out)
        self._batch.observe(seconds)
        for _, status in outcome.alerts:
            self._alerts.labels(status.value).inc()
        for waited in outcome.alert_seconds:
            self._latency.observe(waited)

    def metric_set_dropped(self) -> None:
        """Note that CloudWatch did not take a set."""
        self._dropped.inc()


class SupervisorMetrics:
    """The supervisor's own metric, and those of the children."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        """Gather the children's from `directory`."""
        self.registry = CollectorRegistry()
        self._children = ChildMetrics(SERVICE, directory, clock)
        self._children.register(self.registry)
        self._restarts = Counter("detector_daemon_restarts", "Starts again", ["reason"], registry=self.registry)

    def restarted(self, ending: Ending) -> None:
        """Note that the daemon ended although nobody asked it to."""
        self._restarts.labels(ending.value).inc()

    def lag(self) -> Lag | None:
        """Return how far the worst shard is; None while no child reads one."""
        behind = self.registry.get_sample_value(f"{SERVICE}_millis_behind_latest")
        age = self.registry.get_sample_value(f"{SERVICE}_seconds_since_checkpoint")
        return None if behind is None or age is None else Lag(millis_behind=behind, checkpoint_seconds=age)

    def forget(self, pid: int) -> None:
        """Drop the lag and the kcl_checkpoint's age of a child that ended."""
        self._children.forget(pid)
