"""What the windower reports: ``windower_*``, in Prometheus' terms."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from servicekit.metrics import ServiceMetrics
from storepulse.activity.actions import NO_TIME, Actions
from storepulse.streaming.aggregation import BatchOutcome, Fired, TumblingCount
from windower.figures import Figures

SERVICE = "windower"


class WindowerMetrics:
    """Records by outcome, windows fired, counts open."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register everything in `registry`, a new one by default."""
        self.service = ServiceMetrics(SERVICE, registry)
        self.registry = self.service.registry
        self._windows = Counter("windower_windows", "Windows fired", registry=self.registry)
        self._counts = Counter("windower_counts", "Counts delivered", ["kind"], registry=self.registry)
        self._open_windows = Gauge("windower_open_windows", "Windows still open", registry=self.registry)
        self._open_counts = Gauge("windower_open_counts", "Counts (user and window) in memory", registry=self.registry)
        self._watermark = Gauge("windower_watermark_seconds", "Combined watermark, epoch", registry=self.registry)
        self._watermark_age = Gauge(
            "windower_watermark_age_seconds",
            "For how long the watermark has stood still while records came",
            registry=self.registry,
        )
        self._unacknowledged = Gauge(
            "windower_oldest_unacknowledged_seconds",
            "Since the oldest batch was taken that is in a window still open",
            registry=self.registry,
        )
        self._paused = Gauge(
            "windower_paused_shards",
            "Shards not read on, as they are ahead of others that have records to read",
            registry=self.registry,
        )
        self._dropped = Counter("windower_metric_sets_dropped", "Not taken by CloudWatch", registry=self.registry)
        self.late = self.bad = 0  # records, since the start

    def counted(self, actions: Actions, outcome: BatchOutcome, *, decided: bool, now: int) -> None:
        """Note what became of a batch; `now` in milliseconds since the epoch."""
        heartbeats = len(actions.times) - outcome.counted - len(outcome.late) - len(actions.bad) - outcome.skipped
        for name, n in (
            ("counted", outcome.counted),
            ("late", len(outcome.late)),
            ("bad", len(actions.bad)),
            ("heartbeat", heartbeats),
            ("skipped", outcome.skipped),
        ):
            if n:
                self.service.records(f"replayed_{name}" if decided else name, n)
        self.late += len(outcome.late)
        self.bad += 0 if decided else len(actions.bad)
        if outcome.crossings:
            self._counts.labels("early").inc(len(outcome.crossings))
        times = [time for time in actions.times if time != NO_TIME] if actions.bad else actions.times
        self.service.record_age((now - min(times, default=now)) / 1000)

    def current(self, figures: Figures) -> None:
        """Show how current the counts are."""
        self._watermark_age.set(figures.watermark_age)
        self._unacknowledged.set(figures.oldest_unacknowledged)
        self._paused.set(figures.paused_shards)
        self.service.lags(figures.millis_behind)

    def dropped(self) -> None:
        """Note that CloudWatch did not take a set."""
        self._dropped.inc()

    def fired(self, fired: Sequence[Fired], windows: TumblingCount[str]) -> None:
        """Note the windows that were delivered and what is still open."""
        self._windows.inc(len(fired))
        self._counts.labels("final").inc(sum(len(each.counts) for each in fired))
        self._open_windows.set(windows.open_windows)
        self._open_counts.set(windows.open_counts)
        self._watermark.set(max(windows.watermarks.combined / 1000, 0))
