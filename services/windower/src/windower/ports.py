"""Where the windower's results go."""

from collections.abc import Sequence
from typing import Protocol

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent


class CountSink(Protocol):
    """Takes window counts."""

    async def put(self, counts: Sequence[WindowCount]) -> None:
        """Return when every count is stored safely; tries until it is, or until cancelled."""


class BadEventSink(Protocol):
    """Takes records that cannot be counted."""

    async def put(self, events: Sequence[BadEvent]) -> None:
        """Return when every event is stored safely, whole; tries until it is, or until cancelled."""
