"""Every port in memory: for tests, simulations and benches; keeps the same promises as the adapters on AWS."""

from collections.abc import Sequence
from threading import Lock

import msgspec

from detector.figures import BatchFigures
from detector.ports import KEPT, AlertStatus
from storepulse.activity.counts import WindowCount
from storepulse.detection.alerts import Alert
from storepulse.failures import BadEvent


class MemoryCounts:
    """A `CountStore`."""

    max_batch = 25

    def __init__(self) -> None:
        """Start empty."""
        self.counts: dict[tuple[str, str], WindowCount] = {}
        self._lock = Lock()

    def put_finals(self, counts: Sequence[WindowCount]) -> None:
        """Replace."""
        for count in counts:
            self.counts[count.user_id, count.window_end] = count

    def put_early(self, count: WindowCount) -> None:
        """Never over a final one."""
        with self._lock:
            known = self.counts.get((count.user_id, count.window_end))
            if known is None or known.kind == "early":
                self.counts[count.user_id, count.window_end] = count


class MemoryAlerts:
    """An `AlertStore`."""

    def __init__(self) -> None:
        """Start empty."""
        self.alerts: dict[str, Alert] = {}
        self.statuses: dict[str, AlertStatus] = {}
        self._admitted: dict[tuple[str, str], tuple[str, ...]] = {}
        self._lock = Lock()

    def add(self, alert: Alert) -> AlertStatus:
        """Store, or raise the count and the kind."""
        with self._lock:
            known = self.alerts.get(alert.alert_id)
            self.alerts[alert.alert_id] = alert if known is None else _merged(known, alert)
            return self.statuses.setdefault(alert.alert_id, AlertStatus.PENDING)

    def admitted(self, alert: Alert) -> tuple[str, ...]:
        """Look them up."""
        return self._admitted.get((alert.rule, alert.user_id), ())

    def admit(self, alert: Alert, known: tuple[str, ...]) -> bool:
        """Compare and set."""
        with self._lock:
            if self.admitted(alert) != known:
                return False
            self._admitted[alert.rule, alert.user_id] = (*known, alert.window_start)[-KEPT:]
            return True

    def settle(self, alert: Alert, status: AlertStatus) -> None:
        """Once."""
        with self._lock:
            if self.statuses.get(alert.alert_id) is AlertStatus.PENDING:
                self.statuses[alert.alert_id] = status


def _merged(known: Alert, alert: Alert) -> Alert:
    kind = "final" if "final" in (known.kind, alert.kind) else "early"
    return msgspec.structs.replace(known, kind=kind, num_actions=max(known.num_actions, alert.num_actions))


class MemoryPublisher:
    """An `AlertPublisher`."""

    def __init__(self) -> None:
        """Start empty."""
        self.published: list[Alert] = []

    def publish(self, alert: Alert) -> None:
        """Keep it."""
        self.published.append(alert)


class MemoryBadEvents:
    """A `BadEventSink`."""

    def __init__(self) -> None:
        """Start empty."""
        self.bad: list[BadEvent] = []

    def put(self, bad: Sequence[BadEvent]) -> None:
        """Keep them."""
        self.bad.extend(bad)


class MemoryMetrics:
    """A `MetricSink`."""

    def __init__(self) -> None:
        """Start empty."""
        self.figures: list[BatchFigures] = []

    def put(self, figures: BatchFigures) -> None:
        """Keep them."""
        self.figures.append(figures)

    def flush(self) -> None:
        """Have nothing to wait for."""
