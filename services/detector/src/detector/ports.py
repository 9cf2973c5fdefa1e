"""What detecting bots needs from the world. Adapters raise `RetryableError` for what may pass, never an SDK's error."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

from detector.figures import BatchFigures
from storepulse.activity.counts import WindowCount
from storepulse.detection.alerts import Alert
from storepulse.failures import BadEvent

#: Of a rule and user, so that their item in DynamoDB stays within one write unit (1 KB).
KEPT: Final = 32


class AlertStatus(StrEnum):
    """What became of an alert."""

    PENDING = "pending"  # stored, not yet decided or published
    PUBLISHED = "published"
    SUPPRESSED = "suppressed"  # closer than the cooldown to an alert of the same rule and user
    ALLOWED = "allowed"  # its user is on the allow-list


class CountStore(Protocol):
    """Keeps the window counts, one a user and window."""

    max_batch: int
    """The most counts that one call of `put_finals` should hold."""

    def put_finals(self, counts: Sequence[WindowCount]) -> None:
        """Store final counts with different keys; one that is there already is replaced.

        Raises:
            RetryableError: some may not be stored; all can be given again.
            PoisonRecordError: at least one can never be stored; the others may not be stored either.
        """
        ...

    def put_early(self, count: WindowCount) -> None:
        """Store an early count, unless the window's final count is there.

        Raises:
            RetryableError: it may not be stored.
            PoisonRecordError: it can never be stored.
        """
        ...


class AlertStore(Protocol):
    """Remembers alerts, what became of each, and which of a user's were published lately."""

    def add(self, alert: Alert) -> AlertStatus:
        """Store `alert` as pending, or bring the known one up to date; return the status that stands.

        The known one keeps its status; its count never falls, and a final count replaces an early one's kind.
        """
        ...

    def admitted(self, alert: Alert) -> tuple[str, ...]:
        """Return the window starts of the last `KEPT` alerts admitted of `alert`'s rule and user, in that order."""
        ...

    def admit(self, alert: Alert, known: tuple[str, ...]) -> bool:
        """Admit `alert` if `known` are still all that are admitted; return whether they were."""
        ...

    def settle(self, alert: Alert, status: AlertStatus) -> None:
        """Mark a pending alert with what became of it; one that is settled stays as it is."""
        ...


class AlertPublisher(Protocol):
    """Tells people."""

    def publish(self, alert: Alert) -> None:
        """Send `alert` to every subscriber; each call sends it again."""
        ...


class BadEventSink(Protocol):
    """The dead-letter queue."""

    def put(self, bad: Sequence[BadEvent]) -> None:
        """Keep bad events, whole and of any size; they may come twice after an error, with the same id."""
        ...


class MetricSink(Protocol):
    """Keeps figures; never raises and never waits."""

    def put(self, figures: BatchFigures) -> None:
        """Take the figures of one batch."""
        ...

    def flush(self) -> None:
        """Wait a little until what was put is sent."""
        ...
