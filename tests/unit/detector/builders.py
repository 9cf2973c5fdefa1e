"""Counts, records and use cases for the detector's tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from detector.adapters.memory import MemoryAlerts, MemoryBadEvents, MemoryCounts, MemoryMetrics, MemoryPublisher
from detector.alerting import RaiseAlert
from detector.handlers import DetectBots, Outcome, Place
from detector.ports import AlertStatus, CountStore
from detector.records import Record
from detector.workers import Patience, Workers
from servicekit.clock import ManualClock
from servicekit.errors import RetryableError
from storepulse.activity.counts import CountKind, WindowCount, encode_count
from storepulse.detection.alerts import Alert
from storepulse.detection.cooldown import Cooldown
from storepulse.detection.rules import RateRule
from storepulse.instants import format_instant

START = 1_790_000_000_000  # a multiple of ten seconds
WINDOW = 10_000
PLACE = Place(stream="counts", shard_id="shardId-000000000000")


def count(user: str = "anna", actions: int = 3, window: int = 0, kind: CountKind = "final") -> WindowCount:
    """Return the count of `user` in the window of that number."""
    start = START + window * WINDOW
    return WindowCount(
        user_id=user,
        num_actions=actions,
        window_start=format_instant(start),
        window_end=format_instant(start + WINDOW),
        kind=kind,
    )


def alert(user: str = "anna", actions: int = 30, window: int = 0, kind: CountKind = "final") -> Alert:
    """Return the alert of that count."""
    return Alert.of(count(user, actions, window, kind), rule="actions-per-window", limit=10)


def record(data: bytes | WindowCount, sequence: int = 1, sub_sequence: int = 0, arrived: int = 0) -> Record:
    """Return a record that holds `data`."""
    payload = encode_count(data) if isinstance(data, WindowCount) else data
    return Record(
        data=payload,
        sequence_number=str(sequence),
        sub_sequence_number=sub_sequence,
        approximate_arrival_timestamp=arrived,
    )


def records(*data: bytes | WindowCount) -> list[Record]:
    """Return a record for each of `data`."""
    return [record(each, place) for place, each in enumerate(data, 1)]


@dataclass
class Detector:
    """The use case in memory, with `fail` called before every change of a store: it may raise."""

    limit: int = 10
    cooldown: timedelta = timedelta(minutes=5)
    allowed: frozenset[str] = frozenset()
    fail: Callable[[str], None] = lambda _: None
    threads: int = 1
    store_from: int = 1
    counts: MemoryCounts = field(default_factory=MemoryCounts)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    bad_events: MemoryBadEvents = field(default_factory=MemoryBadEvents)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    clock: ManualClock = field(default_factory=ManualClock)
    patience: Patience = field(default_factory=lambda: Patience(pause=lambda _: None))

    def __call__(self, *batch: Record) -> Outcome:
        """Handle one batch."""
        return self.use_case()(batch, PLACE)

    def use_case(self, counts: CountStore | None = None) -> DetectBots:
        """Return the use case, on other counts if given."""
        return DetectBots(
            rule=RateRule(limit=self.limit),
            raise_alert=RaiseAlert(
                store=FailingAlerts(self.alerts, self.fail),
                publisher=FailingPublisher(self.publisher, self.fail),
                cooldown=Cooldown(period=self.cooldown),
                allowed=self.allowed,
            ),
            counts=counts or FailingCounts(self.counts, self.fail),
            bad_events=self.bad_events,
            metrics=self.metrics,
            clock=self.clock,
            workers=Workers(self.threads, self.patience),
            store_from=self.store_from,
        )

    def published_ids(self) -> list[str]:
        """Return the ids of the messages sent, in order."""
        return [alert.alert_id for alert in self.publisher.published]


class Outage:
    """Says `RetryableError` on the calls whose turn it is, as a network would."""

    def __init__(self, turns: Sequence[bool]) -> None:
        self._turns = list(turns)

    def __call__(self, what: str) -> None:
        """Fail if it is this call's turn."""
        if self._turns and self._turns.pop(0):
            msg = f"no {what} now"
            raise RetryableError(msg)


class Kill(BaseException):
    """The process ends here."""


class FailingCounts:
    """Counts that a network lies before."""

    max_batch = 2

    def __init__(self, store: MemoryCounts, fail: Callable[[str], None]) -> None:
        self._store, self._fail = store, fail

    def put_finals(self, counts: Sequence[WindowCount]) -> None:
        """Fail, store, fail: an answer can be lost as well."""
        self._fail("write")
        self._store.put_finals(counts)
        self._fail("answer to a write")

    def put_early(self, count: WindowCount) -> None:
        """Fail, store, fail."""
        self._fail("write")
        self._store.put_early(count)
        self._fail("answer to a write")


class FailingAlerts:
    """Alerts that a network lies before."""

    def __init__(self, store: MemoryAlerts, fail: Callable[[str], None]) -> None:
        self._store, self._fail = store, fail

    def add(self, alert: Alert) -> AlertStatus:
        """Fail, store, fail."""
        self._fail("alert")
        status = self._store.add(alert)
        self._fail("answer to an alert")
        return status

    def admitted(self, alert: Alert) -> tuple[str, ...]:
        """Fail, read."""
        self._fail("cooldown")
        return self._store.admitted(alert)

    def admit(self, alert: Alert, known: tuple[str, ...]) -> bool:
        """Fail, store, fail."""
        self._fail("admission")
        admitted = self._store.admit(alert, known)
        self._fail("answer to an admission")
        return admitted

    def settle(self, alert: Alert, status: AlertStatus) -> None:
        """Fail, store, fail."""
        self._fail("mark")
        self._store.settle(alert, status)
        self._fail("answer to a mark")


class FailingPublisher:
    """A topic that a network lies before; its answers are not lost (see docs/delivery)."""

    def __init__(self, publisher: MemoryPublisher, fail: Callable[[str], None]) -> None:
        self._publisher, self._fail = publisher, fail

    def publish(self, alert: Alert) -> None:
        """Fail, publish."""
        self._fail("message")
        self._publisher.publish(alert)
