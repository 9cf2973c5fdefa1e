"""Streams of several shards, some of them idle for a while, and what each engine says of them.

The order in which shards are read decides what is late, so it is part of the input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from storepulse.instants import format_instant
from storepulse.streaming.aggregation import TumblingCount
from tests.builders import START, heartbeat, payload
from tests.parity.answers import (
    ARRIVED,
    DELAY,
    LIMIT,
    SIZE,
    Answer,
    Count,
    batches,
    decoded,
    delivered,
    judged,
    told,
    windower,
)
from tests.parity.cases import CLOCK_CHANGES, HOUR, records_at
from tests.parity.recordings import idleness, records
from tests.unit.storepulse.flink import Flink, Record, Step


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one read: records of `shard`, while the `active` ones were not idle."""

    shard: str
    payloads: Sequence[bytes]
    active: frozenset[str]


def case(seed: int, *, shards: int, reads: int) -> list[Read]:
    """Return a case: shards in step or apart, each idle now and then, and at the end a heartbeat on each."""
    random = Random(seed)
    names = [f"shard-{number}" for number in range(shards)]
    now = dict.fromkeys(names, random.choice([START, *CLOCK_CHANGES]) - 20_000)
    apart, idle = random.choice([0, 2_000, 30_000]), random.choice([0.0, 0.3])
    answer = []
    for _ in range(reads):
        name = random.choice(names)
        now[name] = max(now[name], max(now.values()) - random.randint(0, apart))
        active = {each for each in names if random.random() >= idle}
        answer.append(Read(name, _payloads(random, f"{seed}", name, now), frozenset(active | {name})))
    end = heartbeat(max(now.values()) + HOUR)
    return [*answer, *(Read(name, [end], frozenset(names)) for name in names)]


def _payloads(random: Random, users: str, name: str, now: dict[str, int]) -> list[bytes]:
    """Draw what comes of one read of a shard, whose time goes on by it."""
    payloads: list[bytes] = []
    for _ in range(random.randint(1, 30)):
        now[name] += int(random.expovariate(1 / random.choice([20, 800])))
        time = now[name] - int(random.random() ** 4 * 25_000)
        payloads += records_at(random, [f"{users}.{n}" for n in range(4)], time, odd=0.2)
    return payloads


def pure(reads: Sequence[Read], shards: Sequence[str]) -> Answer:
    """Return what the domain says."""
    windows = TumblingCount(shards, size=SIZE, delay=DELAY, limit=LIMIT)
    answer = Answer()
    for read in reads:
        actions = decoded(read.payloads)
        outcome = windows.add(read.shard, actions.users, actions.times, active=read.active)
        for window, counts in windows.fire(read.active):
            answer.finals.update(Count(user, format_instant(window.start), n) for user, n in counts.items())
        answer.earlies.update(Count(user, format_instant(window.start), n) for user, window, n in outcome.crossings)
        answer.bad.update((bad.kind.value, told(read.payloads[position])) for position, bad in actions.bad.items())
        answer.bad.update(("late", read.payloads[position]) for position in outcome.late)
    assert windows.open_windows == 0
    return answer


async def faust(reads: Sequence[Read], shards: Sequence[str], *, batch: int) -> Answer:
    """Return what the windower's handler delivers when each read comes in batches of `batch`."""
    handler, counts, bad_events = windower(shards)
    for number, read in enumerate(reads):
        for each in batches(read.shard, read.payloads, batch, first=number * 1_000_000):
            await handler.take(each, active=read.active)
    return delivered(counts.taken, bad_events.taken)


def naive(reads: Sequence[Read], shards: Sequence[str], *, off_by: int = 0) -> Answer:
    """Return what the naive judge says; `off_by` ms is what a mistake would look like."""
    steps, payloads, bad = [], list[bytes](), Answer().bad
    for read in reads:
        active = frozenset(shards.index(name) for name in read.active)
        actions = decoded(read.payloads)
        bad.update((each.kind.value, told(read.payloads[position])) for position, each in actions.bad.items())
        for position in sorted(set(range(len(read.payloads))) - set(actions.bad)):
            record = Record(actions.users[position], actions.times[position])
            steps.append(Step(shards.index(read.shard), active, record))
            payloads.append(read.payloads[position])
    said = Flink(size=SIZE, delay=DELAY, limit=LIMIT, off_by=off_by).run(steps)
    answer = judged(said)
    answer.bad = bad + type(bad)(("late", payloads[step]) for step in said.late)
    return answer


def recording(reads: Sequence[Read], shards: Sequence[str]) -> bytes:
    """Return what the Flink job reads, all of `shards` in one subtask."""
    frames = [idleness(shards, shards)]
    for read in reads:
        frames += [idleness(shards, read.active), records(read.payloads, shard=read.shard, arrival=ARRIVED)]
    return b"".join(frames)


def in_order(shards: int, records: int) -> list[list[bytes]]:
    """Return shards none of whose records is late, however they are read: each at most 8 s out of order in itself."""
    return [[*_in_order(Random(shard), records), heartbeat(START + HOUR)] for shard in range(shards)]


def _in_order(random: Random, records: int) -> Iterator[bytes]:
    for number in range(records):
        time = START + max(0, 40 * number - random.randint(0, 8_000) * (random.random() < 0.2))
        yield payload(user_id=f"u{random.randrange(9)}", txn_timestamp=format_instant(time))
