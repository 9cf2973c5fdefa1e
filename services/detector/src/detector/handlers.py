"""The use case: a batch of records becomes stored counts, raised alerts and bad events."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from detector.alerting import RaiseAlert
from detector.figures import BatchFigures, Spread
from detector.ports import AlertStatus, BadEventSink, CountStore, MetricSink
from detector.records import Record
from detector.sorting import ReadAlert, ReadCount, SortedBatch
from detector.workers import Workers
from servicekit.clock import Clock
from servicekit.errors import PoisonRecordError
from storepulse.detection.alerts import Alert
from storepulse.detection.rules import RateRule
from storepulse.failures import BadEvent, BadPayload, FailureKind
from storepulse.instants import format_instant, from_datetime

SERVICE = "detector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a batch was read."""

    stream: str
    shard_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a batch."""

    finals: int = 0  # records
    earlies: int = 0
    windows_left_out: int = 0  # final counts below `store_from`
    actions_left_out: int = 0  # their sum
    bad: list[BadEvent] = field(default_factory=list)
    alerts: list[tuple[Alert, AlertStatus]] = field(default_factory=list)  # settled now
    alert_seconds: list[float] = field(default_factory=list)  # of each published now: since its count came to stream 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectBots:
    """Handles batches of records. When a call returns, all of its batch is safe and the checkpoint may pass it."""

    rule: RateRule
    raise_alert: RaiseAlert
    counts: CountStore
    bad_events: BadEventSink
    metrics: MetricSink
    clock: Clock
    workers: Workers
    store_from: int = 1  # actions; lower counts are left out of the table, and alert all the same

    def __call__(self, records: Sequence[Record], place: Place) -> Outcome:
        """Decode, store and alert; try again for as long as it takes while AWS is out of reach.

        Alerts go first, so that a large batch of counts does not delay them.

        Raises:
            RetryableError: the workers gave up; no checkpoint may pass the batch.
        """
        batch = SortedBatch(records, self.rule)
        left_out = [read.count.num_actions for read in batch.finals if read.count.num_actions < self.store_from]
        outcome = Outcome(
            finals=batch.kinds["final"],
            earlies=batch.kinds["early"],
            windows_left_out=len(left_out),
            actions_left_out=sum(left_out),
        )
        self.workers.run(_Batch(self, batch, place, outcome).calls())
        self.metrics.put(_figures(batch.finals, outcome))
        return outcome


@dataclass(frozen=True, slots=True)
class _Batch:
    """The calls that one batch needs; each can be repeated and goes on with what it had not done."""

    use: DetectBots
    batch: SortedBatch
    place: Place
    outcome: Outcome

    def calls(self) -> Iterator[Callable[[], None]]:
        """Yield them, the most urgent first."""
        for alerts in self.batch.alerts:
            yield partial(self._raise, alerts)
        for early in self._to_store(self.batch.earlies):
            yield partial(self._put_early, early)
        if self.batch.bad:
            yield partial(self._set_aside, [self._bad_event(*problem) for problem in self.batch.bad])
        finals, most = self._to_store(self.batch.finals), self.use.counts.max_batch
        for start in range(0, len(finals), most):
            yield partial(self._put_finals, finals[start : start + most])

    def _to_store(self, counts: Sequence[ReadCount]) -> list[ReadCount]:
        return [read for read in counts if read.count.num_actions >= self.use.store_from]

    def _raise(self, alerts: list[ReadAlert]) -> None:
        """Raise one user's alerts one after the other, as the cooldown needs it."""
        while alerts:
            read = alerts[0]
            try:
                status = self.use.raise_alert(read.alert)
            except PoisonRecordError as error:
                self._refuse(error, read.record)
            else:
                self._note(read, status)
            del alerts[0]

    def _note(self, read: ReadAlert, status: AlertStatus | None) -> None:
        if status is not None:
            self.outcome.alerts.append((read.alert, status))
        if status is AlertStatus.PUBLISHED and (arrived := read.record.approximate_arrival_timestamp):
            self.outcome.alert_seconds.append(max(from_datetime(self.use.clock.now()) - arrived, 0) / 1000)

    def _put_early(self, early: ReadCount) -> None:
        try:
            self.use.counts.put_early(early.count)
        except PoisonRecordError as error:
            self._refuse(error, early.record)

    def _put_finals(self, finals: list[ReadCount]) -> None:
        """Store counts; when one of them is refused for good, each by itself."""
        try:
            self.use.counts.put_finals([read.count for read in finals])
        except PoisonRecordError as error:
            if len(finals) == 1:
                self._refuse(error, finals[0].record)
                return
            while finals:
                self._put_finals(finals[:1])
                del finals[0]

    def _refuse(self, error: PoisonRecordError, record: Record) -> None:
        self._set_aside([self._bad_event(BadPayload(FailureKind.UNDELIVERABLE, str(error)), record)])

    def _set_aside(self, bad: Sequence[BadEvent]) -> None:
        self.use.bad_events.put(bad)
        self.outcome.bad.extend(bad)

    def _bad_event(self, problem: BadPayload, record: Record) -> BadEvent:
        return BadEvent.of(
            problem,
            record.data,
            service=SERVICE,
            stream=self.place.stream,
            shard_id=self.place.shard_id,
            sequence_number=record.place,
            failed_at=format_instant(from_datetime(self.use.clock.now())),
        )


def _figures(finals: Sequence[ReadCount], outcome: Outcome) -> BatchFigures:
    return BatchFigures(
        actions=Spread.of([read.count.num_actions for read in finals]),
        alerts=len(outcome.alerts),
        alert_seconds=Spread.of(outcome.alert_seconds),
        actions_left_out=outcome.actions_left_out,
    )
