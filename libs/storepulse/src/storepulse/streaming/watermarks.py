"""How far event time has come.

A source's watermark is the latest time it has shown, less the delay. The combined watermark is the least of those of
the sources that are not idle, and never goes back: an idle source that wakes with older records finds them late.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

Source = TypeVar("Source", bound=Hashable)

BEGINNING: Final = -(2**63)
"""Before all time: the watermark of a source that has shown nothing yet."""


class Watermarks(Generic[Source]):
    """The watermarks of several sources, in milliseconds since the epoch."""

    def __init__(self, sources: Iterable[Source], *, delay: int, restored: Mapping[Source, int] | None = None) -> None:
        """Start `sources` at their `restored` watermark, or before all time."""
        self.delay = delay
        self._of = dict.fromkeys(sources, BEGINNING) | dict(restored or {})
        self.combined = min(self._of.values(), default=BEGINNING)

    def __getitem__(self, source: Source) -> int:
        """Return one source's own watermark."""
        return self._of[source]

    def observe(self, source: Source, time: int) -> None:
        """Take note that `source` has shown a record of `time`."""
        self._of[source] = max(self._of[source], time - self.delay)

    def ceiling(self, source: Source, active: Iterable[Source]) -> int:
        """Return how far the other `active` sources let the combined watermark rise, whatever `source` shows."""
        return min((self._of[other] for other in active if other != source), default=2**63)

    def advance(self, active: Iterable[Source]) -> int:
        """Raise the combined watermark as far as the `active` sources allow, and return it."""
        lowest = min((self._of[source] for source in active), default=BEGINNING)
        self.combined = max(self.combined, lowest)
        return self.combined
