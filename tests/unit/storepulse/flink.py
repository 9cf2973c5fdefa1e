"""Flink's window operator, told as plainly as its documentation tells it: slow, obvious, and of its own making.

Written from the rules alone (event-time tumbling windows, bounded out-of-orderness, watermarks after every record) so
that the product's aggregation has a judge that shares no idea with it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

BEFORE_ALL = float("-inf")


class Record(NamedTuple):
    """One record; `key` is None for a heartbeat."""

    key: str | None
    time: int


class Step(NamedTuple):
    """A record is read from `source` while the `active` ones are not idle."""

    source: int
    active: frozenset[int]
    record: Record


@dataclass
class Answer:
    """What came of it, in order; windows by their start."""

    finals: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    late: list[int] = field(default_factory=list)  # steps
    crossings: list[tuple[str, int]] = field(default_factory=list)
    still_open: dict[int, dict[str, int]] = field(default_factory=dict)


class Flink:
    """One operator with several inputs."""

    def __init__(self, *, size: int, delay: int, limit: int, off_by: int = 0) -> None:
        """`off_by` milliseconds too late is what a mistake would look like."""
        self.size, self.delay, self.limit, self.off_by = size, delay, limit, off_by
        self.watermark = BEFORE_ALL
        self.shown: defaultdict[int, list[int]] = defaultdict(list)
        self.windows: defaultdict[int, list[str]] = defaultdict(list)
        self.answer = Answer()

    def run(self, steps: list[Step]) -> Answer:
        """Take every step."""
        for number, step in enumerate(steps):
            self.advance(step.active)
            self.take(number, step.record)
            self.shown[step.source].append(step.record.time)
            self.advance(step.active)
        self.answer.still_open = {start: dict(Counter(keys)) for start, keys in self.windows.items()}
        return self.answer

    def take(self, number: int, record: Record) -> None:
        """Put one record in its window, unless that has fired."""
        if record.key is None:
            return
        start = record.time // self.size * self.size
        if self.has_passed(start):
            self.answer.late.append(number)
            return
        self.windows[start].append(record.key)
        if self.windows[start].count(record.key) == self.limit + 1:
            self.answer.crossings.append((record.key, start))

    def advance(self, active: frozenset[int]) -> None:
        """Let the watermark follow the least of the inputs that are not idle, never back; fire what it passes."""
        if active:
            own = [max(self.shown[source], default=BEFORE_ALL) - self.delay for source in active]
            self.watermark = max(self.watermark, min(own))
        for start in sorted(self.windows):
            if self.has_passed(start):
                self.answer.finals.append((start, dict(Counter(self.windows.pop(start)))))

    def has_passed(self, start: int) -> bool:
        """Say whether the watermark has come to the window's last millisecond."""
        return self.watermark >= start + self.size - 1 + self.off_by
