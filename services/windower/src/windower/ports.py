"""Where the windower's results go."""

from collections.abc import Sequence
from typing import Protocol

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent
from windower.figures import Figures


class CountSink(Protocol):
    """Takes window counts."""

    async def put(self, counts: Sequence[WindowCount]) -> None:
        """Return when every count is stored safely; tries until it is, or until cancelled."""


class BadEventSink(Protocol):
    """Takes records that cannot be counted."""

    async def put(self, events: Sequence[BadEvent]) -> None:
        """Return when every event is stored safely, whole; tries until it is, or until cancelled."""


class MetricSink(Protocol):
    """Takes figures for alarms."""

    async def put(self, figures: Figures, *, late: int, bad: int) -> None:
        """Store `figures`, and the `late` and `bad` records since the last that were stored.

        Raises:
            RetryableError: they are not stored, for a reason of any kind.
        """
