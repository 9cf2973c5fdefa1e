"""Rules: a window count in, an alert or nothing out."""

from dataclasses import dataclass

from storepulse.activity.counts import WindowCount
from storepulse.detection.alerts import Alert

DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRule:
    """More than `limit` actions of one user in one window is an alert."""

    name: str = "actions-per-window"
    limit: int = DEFAULT_LIMIT

    def evaluate(self, count: WindowCount) -> Alert | None:
        """Return the alert that `count` raises, if it does."""
        return Alert.of(count, rule=self.name, limit=self.limit) if count.num_actions > self.limit else None
