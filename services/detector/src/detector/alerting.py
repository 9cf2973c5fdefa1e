"""What becomes of one alert: stored, then published once, then marked."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from detector.ports import AlertPublisher, AlertStatus, AlertStore
from storepulse.detection.alerts import Alert
from storepulse.detection.cooldown import Cooldown


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlert:
    """Stores an alert, decides whether people are told, tells them, and marks it told.

    Run again after an error or a kill at any point, it goes on where it stopped: only a kill between publishing and
    marking sends the same alert, with the same id, a second time.
    """

    store: AlertStore
    publisher: AlertPublisher
    cooldown: Cooldown
    allowed: AbstractSet[str] = frozenset()

    def __call__(self, alert: Alert) -> AlertStatus | None:
        """Return what became of `alert` now; None when that was settled before.

        Raises:
            RetryableError: it is not settled; call again.
            PoisonRecordError: it can never be stored or published.
        """
        if self.store.add(alert) is not AlertStatus.PENDING:
            return None
        status = self._decide(alert)
        if status is AlertStatus.PUBLISHED:
            self.publisher.publish(alert)
        self.store.settle(alert, status)
        return status

    def _decide(self, alert: Alert) -> AlertStatus:
        if alert.user_id in self.allowed:
            return AlertStatus.ALLOWED
        return AlertStatus.PUBLISHED if self._admitted(alert) else AlertStatus.SUPPRESSED

    def _admitted(self, alert: Alert) -> bool:
        while True:  # again when another alert of the same user came between; each of those wins only once
            admitted = self.store.admitted(alert)
            if not self.cooldown.admits(alert, admitted):
                return False
            if alert.window_start in admitted or self.store.admit(alert, admitted):
                return True
