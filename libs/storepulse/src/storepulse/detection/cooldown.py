"""One message for a user who goes on and on: for a while after a published alert, the next ones are only stored."""

from dataclasses import dataclass
from datetime import timedelta

from storepulse.detection.alerts import Alert
from storepulse.instants import parse_instant, to_milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """The rule by which an alert is published, or only stored.

    It goes by event time (the windows' starts), and an alert never silences itself: a retry or a replay decides as the
    first try did.
    """

    period: timedelta = timedelta(minutes=5)

    def admits(self, alert: Alert, last: Alert | None) -> bool:
        """Say whether `alert` is published, given the `last` one published of the same rule and user."""
        if last is None or last.alert_id == alert.alert_id:
            return True
        return parse_instant(alert.window_start) >= parse_instant(last.window_start) + to_milliseconds(self.period)
