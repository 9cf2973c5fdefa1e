"""The ports in memory, for tests and for measuring what the windower itself costs."""

from collections.abc import Sequence

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent


class MemoryCounts:
    """Keeps every count it is given, in order."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.taken: list[WindowCount] = []

    async def put(self, counts: Sequence[WindowCount]) -> None:
        """See `windower.ports.CountSink`."""
        self.taken.extend(counts)


class MemoryBadEvents:
    """Keeps every bad event it is given, in order."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.taken: list[BadEvent] = []

    async def put(self, events: Sequence[BadEvent]) -> None:
        """See `windower.ports.BadEventSink`."""
        self.taken.extend(events)
