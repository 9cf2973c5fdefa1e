"""The only place that asks the machine what time it is."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for facts, monotonic time for spans."""

    def now(self) -> datetime:
        """Return the wall time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; they never go back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the wall time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; they never go back."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to advance: time for tests and simulations."""

    def __init__(self, start: datetime = datetime(2019, 10, 1, tzinfo=UTC)) -> None:
        """Stop the clock at `start`, which is aware."""
        self._start = start.astimezone(UTC)
        self._passed = timedelta()

    def now(self) -> datetime:
        """Return `start` plus what has been advanced."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._passed.total_seconds()

    def advance(self, span: timedelta) -> None:
        """Let `span` pass.

        Raises:
            ValueError: `span` is negative; time does not go back.
        """
        if span < timedelta():
            message = f"time does not go back, not even by {-span}"
            raise ValueError(message)
        self._passed += span
