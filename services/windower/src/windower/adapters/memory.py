"""The ports in memory, for tests and for measuring what the windower itself costs."""

from collections.abc import Sequence

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent
from windower.figures import Figures


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


class MemoryMetrics:
    """Keeps every set of figures it is given, in order, with the late and the bad records."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.taken: list[tuple[Figures, int, int]] = []

    async def put(self, figures: Figures, *, late: int, bad: int) -> None:
        """See `windower.ports.MetricSink`."""
        self.taken.append((figures, late, bad))
