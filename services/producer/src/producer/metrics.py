"""What the producer measures."""

from prometheus_client import Counter, Gauge

from producer.progress import Progress
from servicekit.metrics import ServiceMetrics


class ProducerMetrics:
    """The service's numbers, taken from the progress of its replays."""

    def __init__(self) -> None:
        """Register them."""
        self.service = ServiceMetrics("producer")
        registry = self.registry = self.service.registry
        self._rows = Counter("producer_rows", "Rows read, bad and planted ones included", registry=registry)
        self._bytes = Counter("producer_read_bytes", "Bytes of sources read, as stored", registry=registry)
        self._retries = Counter("producer_retries", "Records put again", registry=registry)
        self._requests = Counter("producer_requests", "PutRecords requests", registry=registry)
        self._heartbeats = Counter("producer_heartbeats", "Heartbeats put", registry=registry)
        self._behind = Gauge("producer_behind_schedule_seconds", "How late the rows leave", registry=registry)
        self._active = Gauge("producer_replays_active", "Replays that play now", registry=registry)
        self._seen = Progress()
        self._of: Progress | None = None

    def observe(self, progress: Progress, *, active: bool) -> None:
        """Add what `progress` has come on since it was observed last."""
        if progress is not self._of:
            self._of, self._seen = progress, Progress()
        seen = self._seen
        for outcome in ("sent", "found", "bad"):
            self.service.records(outcome, getattr(progress, outcome) - getattr(seen, outcome))
            setattr(seen, outcome, getattr(progress, outcome))
        counters = {
            "rows": self._rows,
            "bytes_read": self._bytes,
            "retries": self._retries,
            "requests": self._requests,
            "heartbeats": self._heartbeats,
        }
        for name, counter in counters.items():
            counter.inc(max(getattr(progress, name) - getattr(seen, name), 0))  # a second reading starts from nothing
            setattr(seen, name, getattr(progress, name))
        if progress.confirmed != seen.confirmed:
            seen.confirmed = progress.confirmed
            self.service.checkpointed()
        self._behind.set(progress.behind_s)
        self._active.set(int(active))
