"""What CloudWatch is told: of batches, in figures that can be merged without loss, and of the slowest shard."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How many values there were, the least and the greatest of them (0 without any), and their sum."""

    n: int = 0
    least: float = 0
    most: float = 0
    total: float = 0

    @classmethod
    def of(cls, values: Collection[float]) -> "Spread":
        """Return the spread of `values`."""
        return cls(len(values), min(values), max(values), sum(values)) if values else cls()

    def __add__(self, other: "Spread") -> "Spread":
        """Return the spread of both's values."""
        if not (self.n and other.n):
            return self if self.n else other
        return Spread(
            self.n + other.n, min(self.least, other.least), max(self.most, other.most), self.total + other.total
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFigures:
    """What one batch or several brought."""

    actions: Spread = Spread()  # of each window
    alerts: int = 0
    alert_seconds: Spread = Spread()  # of each published alert
    actions_left_out: int = 0

    def __add__(self, other: "BatchFigures") -> "BatchFigures":
        """Return the figures of both as if they had been one batch."""
        return BatchFigures(
            actions=self.actions + other.actions,
            alerts=self.alerts + other.alerts,
            alert_seconds=self.alert_seconds + other.alert_seconds,
            actions_left_out=self.actions_left_out + other.actions_left_out,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the worst shard of this instance is."""

    millis_behind: float  # the end of the stream, when it was last read
    checkpoint_seconds: float  # since its kcl_checkpoint; an idle shard makes one a second
