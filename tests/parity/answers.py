"""What an engine says of a stream, in a form that can be compared, and the engines that run in this process."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from prometheus_client import CollectorRegistry

from servicekit.clock import ManualClock
from storepulse.activity.actions import Actions, decode_actions
from storepulse.activity.counts import WindowCount
from storepulse.activity.future_timestamps import refuse_far_ahead
from storepulse.failures import BadEvent
from storepulse.instants import format_instant
from storepulse.streaming.aggregation import TumblingCount
from tests.builders import START
from tests.unit.storepulse.flink import Answer as Told
from tests.unit.storepulse.flink import Flink, Record, Step
from windower.adapters.memory import MemoryBadEvents, MemoryCounts
from windower.handlers import Batch, Windowing, WindowUserActions
from windower.metrics import WindowerMetrics
from windower.progress import Progress

SIZE, DELAY, LIMIT = 10_000, 10_000, 10
SHARD = "shard-0"
ARRIVED = START  # every record came to stream 1 then
WINDOWING = Windowing(size=SIZE, delay=DELAY, limit=LIMIT, max_ahead=320 * 86_400_000)  # cases last for months
MAX_BYTES_TOLD = 150_000  # the job tells of a larger bad record without its payload
Thing = TypeVar("Thing")


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


def _differences(name: str, mine: Counter[Thing], others: Counter[Thing]) -> list[str]:
    return [f"{name} {sign} {each!r}" for sign, more in (("-", others - mine), ("+", mine - others)) for each in more]


def told(payload: bytes) -> bytes:
    """Return what a bad event says of its record's bytes."""
    return payload if len(payload) <= MAX_BYTES_TOLD else b""


def decoded(payloads: Sequence[bytes]) -> Actions:
    """Return who acted when; what is too far ahead of its arrival is bad, as for the windower."""
    actions = decode_actions(payloads)
    refuse_far_ahead(
        actions,
        [ARRIVED] * len(payloads),
        max_ahead=WINDOWING.max_ahead,
        max_replay_ahead=WINDOWING.max_replay_ahead,
    )
    return actions


def pure(payloads: Sequence[bytes]) -> Answer:
    """Return what the domain says of a stream of one shard that has ended: all its windows have fired."""
    actions = decoded(payloads)
    windows = TumblingCount([SHARD], size=SIZE, delay=DELAY, limit=LIMIT)
    outcome = windows.add(SHARD, actions.users, actions.times, active=[SHARD])
    windows.watermarks.observe(SHARD, 2**62)
    answer = Answer()
    for window, counts in windows.fire([SHARD]):
        answer.finals.update(Count(user, format_instant(window.start), n) for user, n in counts.items())
    answer.earlies.update(Count(user, format_instant(window.start), n) for user, window, n in outcome.crossings)
    answer.bad.update((bad.kind.value, told(payloads[position])) for position, bad in actions.bad.items())
    answer.bad.update(("late", payloads[position]) for position in outcome.late)
    return answer


def naive(payloads: Sequence[bytes], *, off_by: int = 0) -> Answer:
    """Return what the naive judge says of a stream that has ended; `off_by` ms is what a mistake would look like."""
    actions = decoded(payloads)
    read = [n for n in range(len(payloads)) if n not in actions.bad]
    steps = [Step(0, frozenset({0}), Record(actions.users[n], actions.times[n])) for n in read]
    said = Flink(size=SIZE, delay=DELAY, limit=LIMIT, off_by=off_by).run(steps)
    answer = judged(said)
    answer.bad.update((bad.kind.value, told(payloads[position])) for position, bad in actions.bad.items())
    answer.bad.update(("late", payloads[read[step]]) for step in said.late)
    return answer


def judged(said: Told) -> Answer:
    """Return the counts of the naive judge, those of windows that were open at the end as if they had fired."""
    answer = Answer()
    for start, counts in [*said.finals, *said.still_open.items()]:
        answer.finals.update(Count(user, format_instant(start), n) for user, n in counts.items())
    answer.earlies.update(Count(user, format_instant(start), LIMIT + 1) for user, start in said.crossings)
    return answer


def windower(shards: Iterable[str]) -> tuple[WindowUserActions[int], MemoryCounts, MemoryBadEvents]:
    """Return the windower's handler for `shards`, and where it delivers."""
    counts, bad_events = MemoryCounts(), MemoryBadEvents()
    handler: WindowUserActions[int] = WindowUserActions(
        {shard: Progress() for shard in shards},
        windowing=WINDOWING,
        counts=counts,
        bad_events=bad_events,
        metrics=WindowerMetrics(CollectorRegistry()),
        clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)),
    )
    return handler, counts, bad_events


def delivered(counts: Iterable[WindowCount], bad_events: Iterable[BadEvent]) -> Answer:
    """Return what a windower has delivered."""
    answer = Answer()
    for count in counts:
        kind = answer.finals if count.kind == "final" else answer.earlies
        kind[Count(count.user_id, count.window_start, count.num_actions)] += 1
    answer.bad.update((event.kind.value, told(event.raw())) for event in bad_events)
    return answer


async def faust(payloads: Sequence[bytes], *, batch: int = 97) -> Answer:
    """Return what the windower's handler delivers of a stream whose last record fires all windows before it."""
    handler, counts, bad_events = windower([SHARD])
    for each in batches(SHARD, payloads, batch):
        await handler.take(each, active=[SHARD])
    return delivered(counts.taken, bad_events.taken)


def batches(shard: str, payloads: Sequence[bytes], size: int, *, first: int = 0) -> Iterator[Batch[int]]:
    """Cut the payloads of a shard, the first of them its record number `first`, into batches."""
    for start in range(0, len(payloads), size):
        part = payloads[start : start + size]
        numbers = [str(first + number) for number in range(start, start + len(part))]
        yield Batch(
            stream="stream-1",
            shard_id=shard,
            payloads=part,
            sequence_numbers=numbers,
            arrivals=[ARRIVED] * len(part),
            token=first + start,
        )
