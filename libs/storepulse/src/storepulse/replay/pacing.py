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

    def reached(self, spent: float) -> int | None:
        """Return the event time gone by after `spent` ms, or None when only the rows themselves tell."""


@dataclass(frozen=True, slots=True)
class FixedInterval:
    """One row every `interval` milliseconds, whatever the file's gaps (the original replay: 250 ms)."""

    interval: float

    def due(self, index: int, elapsed: int) -> float:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return index * self.interval

    def reached(self, spent: float) -> int | None:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return None


@dataclass(frozen=True, slots=True)
class EventTimes:
    """The file's own gaps, `speed` times as fast."""

    speed: float = 1.0

    def due(self, index: int, elapsed: int) -> float:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return elapsed / self.speed

    def reached(self, spent: float) -> int | None:
        """See `Pace`."""
        return int(spent * self.speed)


@dataclass(frozen=True, slots=True)
class AtOnce:
    """As fast as it goes."""

    def due(self, index: int, elapsed: int) -> float:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return 0.0

    def reached(self, spent: float) -> int | None:  # noqa: ARG002 - the port's form
        """See `Pace`."""
        return None


@dataclass(frozen=True, slots=True)
class ReplayClock:
    """Keeps the file's gaps and moves them all by `shift` milliseconds.

    The shift is a whole number of windows, so a row's place in its window is the one it had in the file: a replay at
    any hour gives the same counts.
    """

    shift: int

    def stamp(self, event_time: int) -> int:
        """Return the `txn_timestamp` of a row with `event_time`."""
        return event_time + self.shift

    @classmethod
    def starting(cls, *, first: int, at: int, window: int) -> "ReplayClock":
        """Return the clock that stamps the row at `first` as `at`, or less than a `window` later."""
        return cls(-((first - at) // window) * window)

    @classmethod
    def ending(cls, *, last: int, at: int, window: int) -> "ReplayClock":
        """Return the clock that stamps the row at `last` as `at`, or less than a `window` earlier."""
        return cls((at - last) // window * window)
