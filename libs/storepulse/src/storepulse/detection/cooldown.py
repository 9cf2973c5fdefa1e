"""One message for a user who goes on and on: alerts close to a published one are only stored."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from storepulse.detection.alerts import Alert
from storepulse.instants import parse_instant, to_milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """The rule by which an alert is published, or only stored.

    It compares event times (the windows' starts) alone: no clock, so a retry or a replay decides as the first try did,
    and an alert of the far future or past silences nobody now.
    """

    period: timedelta = timedelta(minutes=5)

    def admits(self, alert: Alert, published: Collection[str]) -> bool:
        """Say whether `alert` is published: no other one is closer than the period, before or after.

        Args:
            alert: it never silences itself.
            published: the window starts of the alerts of the same rule and user that are published already.
        """
        if alert.window_start in published:
            return True
        start, period = parse_instant(alert.window_start), to_milliseconds(self.period)
        return all(abs(start - parse_instant(other)) >= period for other in published)
