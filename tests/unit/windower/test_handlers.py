"""The windower's handler over memory: exact counts, through any crash, from any interleaving of shards."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from servicekit.clock import ManualClock
from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent, FailureKind
from storepulse.instants import format_instant, parse_instant
from storepulse.streaming.watermarks import BEGINNING
from windower.adapters.memory import MemoryBadEvents, MemoryCounts
from windower.handlers import Batch, Windowing, WindowUserActions
from windower.metrics import WindowerMetrics
from windower.progress import Progress

START = parse_instant("2026-01-01T00:00:00.000Z")
SIZE, DELAY, LIMIT = 10_000, 10_000, 10
Token = tuple[str, int]
Key = tuple[str, int]


def action(user: object, at: int) -> bytes:
    return msgspec.json.encode({"user_id": user, "event_type": "view", "txn_timestamp": format_instant(START + at)})


def heartbeat(at: int) -> bytes:
    return msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": format_instant(START + at)})


@dataclass
class Committed:
    """What survives a crash: per shard the next batch to read, and the progress stored with it."""

    offset: int = 0
    progress: Progress = field(default_factory=Progress)


class Life:
    """One process's life over shards of prepared batches, from what was committed before."""

    def __init__(
        self,
        shards: dict[str, list[list[bytes]]],
        committed: dict[str, Committed],
        counts: MemoryCounts,
        bad: MemoryBadEvents,
    ) -> None:
        floor = max(kept.progress.watermark for kept in committed.values())
        restored = {
            shard: Progress(watermark=floor, decided=kept.progress.decided) for shard, kept in committed.items()
        }
        self.shards = shards
        self.committed = committed
        self.position = {shard: kept.offset for shard, kept in committed.items()}
        self.acknowledged: set[Token] = set()
        self.handler: WindowUserActions[Token] = WindowUserActions(
            restored,
            windowing=Windowing(size=SIZE, delay=DELAY, limit=LIMIT),
            counts=counts,
            bad_events=bad,
            metrics=WindowerMetrics(),
            clock=ManualClock(),
        )

    def left(self) -> list[str]:
        return [shard for shard, batches in self.shards.items() if self.position[shard] < len(batches)]

    def step(self, shard: str) -> None:
        number = self.position[shard]
        self.position[shard] += 1
        payloads = self.shards[shard][number]
        first = sum(map(len, self.shards[shard][:number]))
        batch = Batch(
            stream="stream-1",
            shard_id=shard,
            payloads=payloads,
            sequence_numbers=[str(10**55 + first + n) for n in range(len(payloads))],
            token=(shard, number),
        )
        self.acknowledged |= set(asyncio.run(self.handler.take(batch, active={*self.left(), shard})))

    def commit(self) -> None:
        for shard, progress in self.handler.progress().items():
            offset = self.committed[shard].offset
            while (shard, offset) in self.acknowledged:
                offset += 1
            self.committed[shard] = Committed(offset, progress)


def finals(counts: Sequence[WindowCount]) -> dict[Key, set[int]]:
    values: dict[Key, set[int]] = {}
    for count in counts:
        if count.kind == "final":
            values.setdefault((count.user_id, parse_instant(count.window_start) - START), set()).add(count.num_actions)
    return values


def places(bad: Sequence[BadEvent]) -> dict[str, BadEvent]:
    return {event.bad_event_id: event for event in bad}


def batches(times: Sequence[int], cuts: Sequence[int], users: Sequence[str]) -> list[list[bytes]]:
    records = [action(user, at) for at, user in zip(times, users, strict=True)] + [heartbeat(10**7)]
    result, rest = [], records
    for cut in cuts:
        result.append(rest[:cut])
        rest = rest[cut:]
    return [batch for batch in [*result, rest] if batch]


@st.composite
def steady(draw: st.DrawFn) -> list[list[bytes]]:
    """One shard whose records are at most DELAY behind the latest: none is late by its own shard's watermark."""
    gaps = draw(st.lists(st.integers(0, 4_000), min_size=1, max_size=40))
    lags = draw(st.lists(st.integers(0, DELAY), min_size=len(gaps), max_size=len(gaps)))
    latest, times = 20_000, []
    for gap, lag in zip(gaps, lags, strict=True):
        times.append(latest + gap - lag)
        latest += gap
    users = draw(st.lists(st.sampled_from("ab"), min_size=len(gaps), max_size=len(gaps)))
    return batches(times, draw(st.lists(st.integers(1, 8), max_size=8)), users)


@st.composite
def wild(draw: st.DrawFn) -> list[list[bytes]]:
    """One shard with records of any disorder, many of them late."""
    times = draw(st.lists(st.integers(0, 120_000), min_size=1, max_size=40))
    users = draw(st.lists(st.sampled_from("ab"), min_size=len(times), max_size=len(times)))
    return batches(times, draw(st.lists(st.integers(1, 8), max_size=8)), users)


def live_and_die(data: st.DataObject, shards: dict[str, list[list[bytes]]]) -> tuple[MemoryCounts, MemoryBadEvents]:
    """Read everything, with crashes and commits at moments that hypothesis picks."""
    counts, bad = MemoryCounts(), MemoryBadEvents()
    committed = {shard: Committed() for shard in shards}
    life = Life(shards, committed, counts, bad)
    for _ in range(data.draw(st.integers(0, 3), label="crashes")):
        for _ in range(data.draw(st.integers(0, 12), label="steps")):
            if not (left := life.left()):
                break
            life.step(data.draw(st.sampled_from(left)))
            if data.draw(st.booleans(), label="commit"):
                life.commit()
        life = Life(shards, committed, counts, bad)
    while left := life.left():
        life.step(data.draw(st.sampled_from(left)))
    return counts, bad


def uninterrupted(shards: dict[str, list[list[bytes]]]) -> tuple[MemoryCounts, MemoryBadEvents]:
    counts, bad = MemoryCounts(), MemoryBadEvents()
    life = Life(shards, {shard: Committed() for shard in shards}, counts, bad)
    while left := life.left():
        life.step(left[0])
    return counts, bad


def exact(shards: dict[str, list[list[bytes]]]) -> dict[Key, set[int]]:
    expected: Counter[Key] = Counter()
    for shard in shards.values():
        for payload in (payload for batch in shard for payload in batch):
            record = msgspec.json.decode(payload)
            if "user_id" in record:
                at = parse_instant(record["txn_timestamp"]) - START
                expected[record["user_id"], at - at % SIZE] += 1
    return {key: {n} for key, n in expected.items()}


@given(st.data())
def test_one_shard_gives_the_same_counts_and_bad_events_through_any_crashes(data: st.DataObject) -> None:
    shards = {"shard-0": data.draw(wild())}
    counts, bad = live_and_die(data, shards)
    clean_counts, clean_bad = uninterrupted(shards)
    assert finals(counts.taken) == finals(clean_counts.taken)
    assert places(bad.taken).keys() == places(clean_bad.taken).keys()
    late = len(places(bad.taken))
    records = sum(len(batch) for batch in shards["shard-0"]) - 1
    assert sum(n for values in finals(counts.taken).values() for n in values) + late == records


@given(st.data())
def test_shards_without_late_records_give_the_exact_counts_through_any_crashes_and_interleaving(
    data: st.DataObject,
) -> None:
    shards = {f"shard-{n}": data.draw(steady()) for n in range(data.draw(st.integers(2, 3)))}
    counts, bad = live_and_die(data, shards)
    assert not bad.taken
    assert finals(counts.taken) == exact(shards)


@given(st.data())
def test_every_user_over_the_limit_is_reported_early_in_its_window(data: st.DataObject) -> None:
    shards = {f"shard-{n}": data.draw(steady()) for n in range(2)}
    counts, _ = live_and_die(data, shards)
    early = {(c.user_id, parse_instant(c.window_start) - START) for c in counts.taken if c.kind == "early"}
    assert early == {key for key, (n,) in ((key, tuple(values)) for key, values in exact(shards).items()) if n > LIMIT}
    assert {c.num_actions for c in counts.taken if c.kind == "early"} <= {LIMIT + 1}


def test_a_record_that_cannot_be_counted_becomes_one_bad_event_with_its_bytes_and_place() -> None:
    shards = {"shard-0": [[b"\xff", action("u", 0), action(5, 1), action("u", 50_000)], [action("u", 1)]]}
    _, bad = uninterrupted(shards)
    assert [(event.kind, event.raw(), int(event.sequence_number) - 10**55) for event in bad.taken] == [
        (FailureKind.MALFORMED, b"\xff", 0),
        (FailureKind.INVALID, action(5, 1), 2),
        (FailureKind.LATE, action("u", 1), 4),
    ]
    assert all(event.reason and event.stream == "stream-1" and event.shard_id == "shard-0" for event in bad.taken)


def test_records_that_share_a_sequence_number_are_told_apart() -> None:
    bad = MemoryBadEvents()
    life = Life({"shard-0": []}, {"shard-0": Committed()}, MemoryCounts(), bad)
    batch = Batch(
        stream="s", shard_id="shard-0", payloads=[b"1", b"2", b"3"], sequence_numbers=["7", "8", "8"], token=("", 0)
    )
    assert asyncio.run(life.handler.take(batch, active={"shard-0"})) == [("", 0)]
    assert [event.sequence_number for event in bad.taken] == ["7", "8/0", "8/1"]
    assert len(places(bad.taken)) == 3


def test_a_shard_far_ahead_of_the_slowest_is_not_read_on_but_one_that_showed_nothing_holds_nobody_back() -> None:
    shards = {"fast": [[action("u", 500_000)]], "slow": [[action("u", 0)]], "silent": list[list[bytes]]()}
    life = Life(shards, {shard: Committed() for shard in shards}, MemoryCounts(), MemoryBadEvents())
    life.step("fast")
    assert life.handler.ahead({"fast", "silent"}, 60_000) == set()
    life.step("slow")
    assert life.handler.ahead({"fast", "slow", "silent"}, 60_000) == {"fast"}
    assert life.handler.ahead({"fast", "silent"}, 60_000) == set()
    assert life.handler.ahead(set(), 60_000) == set()


@given(st.data())
def test_of_the_shards_with_records_to_read_the_slowest_is_always_read_on(data: st.DataObject) -> None:
    names = ["a", "b", "c"]
    shards = {
        shard: [[heartbeat(at)] for at in data.draw(st.lists(st.integers(0, 10**6), max_size=3))] for shard in names
    }
    life = Life(shards, {shard: Committed() for shard in shards}, MemoryCounts(), MemoryBadEvents())
    while left := life.left():
        life.step(data.draw(st.sampled_from(left)))
        behind = data.draw(st.sets(st.sampled_from(names)))
        paused = life.handler.ahead(behind, 60_000)
        assert not behind or not behind <= paused
        assert not paused or behind, "nobody waits for a shard that is at its tip"


def test_progress_of_a_shard_never_read_covers_nothing() -> None:
    assert not Progress().covers("1")
    assert Progress().watermark == BEGINNING
