"""When each row of a replay is due, and the `txn_timestamp` it gets.

Two questions, kept apart: a `Pace` says how long after the start a row is due; a `ReplayClock` says what event time
the row carries. All spans are in milliseconds; event times are milliseconds since the epoch.
"""

from dataclasses import dataclass
from typing import Protocol


class Pace(Protocol):
    """When rows are due."""

    def due(self, index: int, elapsed: int) -> float:
        """Return the milliseconds after the start at which row `index`, `elapsed` ms of event time in, is due."""


@dataclass(frozen=True, slots=True)
class FixedInterval:
    """One row every `interval` milliseconds, whatever the file's gaps (the original replay: 250 ms)."""

    interval: float

    def due(self, index: int, elapsed: int) -> float:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return index * self.interval


@dataclass(frozen=True, slots=True)
class EventTimes:
    """The file's own gaps, `speed` times as fast."""

    speed: float = 1.0

    def due(self, index: int, elapsed: int) -> float:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return elapsed / self.speed


@dataclass(frozen=True, slots=True)
class AtOnce:
    """As fast as it goes."""

    def due(self, index: int, elapsed: int) -> float:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayClock:
    """Keeps the file's gaps and shifts them: the row at `first` is stamped `base`."""

    first: int
    base: int

    def stamp(self, event_time: int) -> int:
        """Return the `txn_timestamp` of a row with `event_time`."""
        return self.base + (event_time - self.first)

    @classmethod
    def ending(cls, *, first: int, last: int, at: int) -> "ReplayClock":
        """Return the clock under which the row at `last` is stamped `at`."""
        return cls(first=first, base=at - (last - first))
