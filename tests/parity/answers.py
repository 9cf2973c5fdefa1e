"""What an engine says of a stream, in a form that can be compared, and the engines that run in this process."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from prometheus_client import CollectorRegistry

from servicekit.clock import ManualClock
from storepulse.activity.actions import decode_actions
from storepulse.instants import format_instant
from storepulse.streaming.aggregation import TumblingCount
from tests.unit.storepulse.flink import Flink, Record, Step
from windower.adapters.memory import MemoryBadEvents, MemoryCounts
from windower.handlers import Batch, Windowing, WindowUserActions
from windower.metrics import WindowerMetrics
from windower.progress import Progress

SIZE, DELAY, LIMIT = 10_000, 10_000, 10
SHARD = "shard-0"
Told = TypeVar("Told")


class Count(NamedTuple):
    """A record of stream 2."""

    user: str
    window_start: str
    num_actions: int


@dataclass
class Answer:
    """Everything an engine put out, with how often it did."""

    finals: Counter[Count] = field(default_factory=Counter)
    earlies: Counter[Count] = field(default_factory=Counter)
    bad: Counter[tuple[str, bytes]] = field(default_factory=Counter)  # kind, payload

    def differences(self, other: "Answer") -> list[str]:
        """Name each thing that this one says (+) and the other does not, and the other way round (-)."""
        return [
            *_differences("final", self.finals, other.finals),
            *_differences("early", self.earlies, other.earlies),
            *_differences("bad", self.bad, other.bad),
        ]

    def without_kinds(self) -> "Answer":
        """Return the answer with one word for all that is malformed or invalid: a record may well be both."""
        bad: Counter[tuple[str, bytes]] = Counter()
        for (kind, record), times in self.bad.items():
            bad["bad" if kind in {"malformed", "invalid"} else kind, record] += times
        return replace(self, bad=bad)


def _differences(name: str, mine: Counter[Told], others: Counter[Told]) -> list[str]:
    return [f"{name} {sign} {each!r}" for sign, more in (("-", others - mine), ("+", mine - others)) for each in more]


def pure(payloads: Sequence[bytes]) -> Answer:
    """Return what the domain says of a stream of one shard that has ended: all its windows have fired."""
    actions = decode_actions(payloads)
    windows = TumblingCount([SHARD], size=SIZE, delay=DELAY, limit=LIMIT)
    outcome = windows.add(SHARD, actions.users, actions.times, active=[SHARD])
    windows.watermarks.observe(SHARD, 2**62)
    answer = Answer()
    for window, counts in windows.fire([SHARD]):
        answer.finals.update(Count(user, format_instant(window.start), n) for user, n in counts.items())
    answer.earlies.update(Count(user, format_instant(window.start), n) for user, window, n in outcome.crossings)
    answer.bad.update((bad.kind.value, payloads[position]) for position, bad in actions.bad.items())
    answer.bad.update(("late", payloads[position]) for position in outcome.late)
    return answer


def naive(payloads: Sequence[bytes], *, off_by: int = 0) -> Answer:
    """Return what the naive judge says of a stream that has ended; `off_by` ms is what a mistake would look like."""
    actions = decode_actions(payloads)
    read = [n for n in range(len(payloads)) if n not in actions.bad]
    steps = [Step(0, frozenset({0}), Record(actions.users[n], actions.times[n])) for n in read]
    told = Flink(size=SIZE, delay=DELAY, limit=LIMIT, off_by=off_by).run(steps)
    answer = Answer()
    for start, counts in [*told.finals, *told.still_open.items()]:
        answer.finals.update(Count(user, format_instant(start), n) for user, n in counts.items())
    answer.earlies.update(Count(user, format_instant(start), LIMIT + 1) for user, start in told.crossings)
    answer.bad.update((bad.kind.value, payloads[position]) for position, bad in actions.bad.items())
    answer.bad.update(("late", payloads[read[step]]) for step in told.late)
    return answer


async def faust(payloads: Sequence[bytes], *, batch: int = 97) -> Answer:
    """Return what the windower's handler delivers of a stream whose last record fires all windows before it."""
    counts, bad_events = MemoryCounts(), MemoryBadEvents()
    windower: WindowUserActions[int] = WindowUserActions(
        {SHARD: Progress()},
        windowing=Windowing(size=SIZE, delay=DELAY, limit=LIMIT),
        counts=counts,
        bad_events=bad_events,
        metrics=WindowerMetrics(CollectorRegistry()),
        clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)),
    )
    for each in _batches(payloads, batch):
        await windower.take(each, active=[SHARD])
    answer = Answer()
    for count in counts.taken:
        told = answer.finals if count.kind == "final" else answer.earlies
        told[Count(count.user_id, count.window_start, count.num_actions)] += 1
    answer.bad.update((event.kind.value, event.raw()) for event in bad_events.taken)
    return answer


def _batches(payloads: Sequence[bytes], size: int) -> Iterator[Batch[int]]:
    for start in range(0, len(payloads), size):
        part = payloads[start : start + size]
        numbers = [str(number) for number in range(start, start + len(part))]
        yield Batch(stream="stream-1", shard_id=SHARD, payloads=part, sequence_numbers=numbers, token=start)
