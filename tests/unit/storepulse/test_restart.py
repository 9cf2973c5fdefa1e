"""Crashes and replays: what is delivered over all lives is what one undisturbed life would have delivered.

The windower's life in small. Batches are read from several sources in any order; windows fire into a queue and are
delivered from it later; a batch is acknowledged when its last window is delivered. A commit stores, for all sources in
one moment, where each goes on (`offset`: its first batch that is not acknowledged), up to which watermark all windows
are delivered (`watermark`), and up to which record the fate of each is settled (`decided`: late ones reported). A crash
loses all but that. The next life reads from the offsets, in other batches, but for a cut where `decided` ends.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.streaming.aggregation import Fired, TumblingCount
from storepulse.streaming.pending import PendingBatches
from storepulse.streaming.watermarks import BEGINNING
from tests.unit.storepulse.flink import Flink, Record, Step

SIZE, DELAY, LIMIT = 10, 10, 2
THE_END = Record(None, 10**6)
"""A heartbeat behind the last record of each source, so that every window fires."""

Place = tuple[int, int]
Key = tuple[str, int]


@dataclass(frozen=True)
class Committed:
    """What is stored of one source; positions count its records."""

    offset: int = 0
    watermark: int = BEGINNING
    decided: int = 0


@dataclass
class World:
    """What outlives a crash: the input, what was delivered, what was committed."""

    sources: Sequence[Sequence[Record]]
    committed: dict[int, Committed] = field(init=False)
    finals: defaultdict[Key, set[int]] = field(default_factory=lambda: defaultdict(set))
    crossings: set[Key] = field(default_factory=set)
    late: set[Place] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.committed = dict.fromkeys(range(len(self.sources)), Committed())


class Life:
    """One process, from its start to its crash."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.position = {source: kept.offset for source, kept in world.committed.items()}
        self.pending: PendingBatches[Place] = PendingBatches()
        self.held: set[Place] = set()
        self.undelivered: list[Fired] = []
        restored = {source: kept.watermark for source, kept in world.committed.items()}
        self.windows = TumblingCount(restored, size=SIZE, delay=DELAY, limit=LIMIT, restored=restored)

    def unread(self) -> list[int]:
        return [source for source, at in self.position.items() if at < len(self.world.sources[source])]

    def read(self, source: int, length: int) -> None:
        first, decided_end = self.position[source], self.world.committed[source].decided
        last = min(first + length, decided_end if first < decided_end else first + length)
        batch = self.world.sources[source][first:last]
        keys, times = [record.key for record in batch], [record.time for record in batch]
        active = self.unread()  # a source that has been read to its end is idle
        outcome = self.windows.add(source, keys, times, active=active, decided=last <= decided_end)
        self.position[source] = first + len(batch)
        self.world.late |= {(source, first + position) for position in outcome.late}
        self.world.crossings |= {(crossing.key, crossing.window.start) for crossing in outcome.crossings}
        if outcome.touched:
            self.pending.hold((source, first), outcome.touched)
            self.held.add((source, first))
        self.undelivered += self.windows.fire(active)

    def deliver(self) -> None:
        """Deliver the oldest window, count by count, and acknowledge."""
        fired = self.undelivered.pop(0)
        for key, count in fired.counts.items():
            self.world.finals[key, fired.window.start].add(count)
        self.held.difference_update(self.pending.release(fired.window.start))

    def commit(self, only: int | None = None) -> None:
        """Commit every source in one moment, or one of them by itself."""
        watermark = self.windows.watermarks.combined
        if self.undelivered:
            watermark = min(watermark, self.undelivered[0].window.last - 1)
        for source in self.position if only is None else [only]:
            kept = self.world.committed[source]
            self.world.committed[source] = Committed(
                offset=min([at for of, at in self.held if of == source], default=self.position[source]),
                watermark=max(kept.watermark, watermark),
                decided=max(kept.decided, self.position[source]),
            )

    def live(self, data: st.DataObject, moves: int, *, commit_apart: bool) -> None:
        """Do up to `moves` things that Hypothesis picks."""
        for move in data.draw(st.lists(st.sampled_from(["read", "read", "deliver", "commit"]), max_size=moves)):
            if move == "read" and (unread := self.unread()):
                self.read(data.draw(st.sampled_from(unread)), data.draw(st.integers(1, 6)))
            elif move == "deliver" and self.undelivered:
                self.deliver()
            elif move == "commit":
                self.commit(data.draw(st.sampled_from(sorted(self.position))) if commit_apart else None)

    def finish(self, data: st.DataObject) -> None:
        """Read everything that is left, and deliver it."""
        while unread := self.unread():
            self.read(data.draw(st.sampled_from(unread)), 4)
        while self.undelivered:
            self.deliver()


def lives(data: st.DataObject, sources: Sequence[Sequence[Record]], *, commit_apart: bool = False) -> World:
    """Read `sources` in up to four lives."""
    world = World([[*records, THE_END] for records in sources])
    for _ in range(data.draw(st.integers(0, 3), label="crashes")):
        Life(world).live(data, 25, commit_apart=commit_apart)
    last = Life(world)
    last.finish(data)
    last.commit()
    assert not last.held
    assert (last.windows.open_windows, len(last.pending._of)) == (0, 0)
    return world


def undisturbed(records: Sequence[Record]) -> tuple[dict[Key, set[int]], set[Place], set[Key]]:
    """Return finals, late ones and crossings of one source, by Flink's rules."""
    steps = [Step(0, frozenset({0}), record) for record in [*records, THE_END]]
    answer = Flink(size=SIZE, delay=DELAY, limit=LIMIT).run(steps)
    finals = {(key, start): {count} for start, counts in answer.finals for key, count in counts.items()}
    return finals, {(0, position) for position in answer.late}, set(answer.crossings)


def exact(sources: Sequence[Sequence[Record]]) -> Mapping[Key, int]:
    """Count by key and window, as if nothing could be late."""
    return Counter((r.key, r.time // SIZE * SIZE) for records in sources for r in records if r.key is not None)


@st.composite
def steady(draw: st.DrawFn) -> list[Record]:
    """Draw one source's records, none late by what the source itself has shown."""
    gaps = draw(st.lists(st.integers(0, 8), min_size=1, max_size=25))
    keys = st.sampled_from(["a", "b", "b", None])
    return [Record(draw(keys), latest - draw(st.integers(0, DELAY - 1))) for latest in accumulate(gaps)]


wild = st.lists(st.builds(Record, key=st.sampled_from(["a", "b", None]), time=st.integers(0, 70)), max_size=25)


@given(st.data(), st.one_of(wild, steady()))
def test_one_source_ends_as_if_nothing_had_happened(data: st.DataObject, records: list[Record]) -> None:
    """One source: its order alone decides which records are late, and the order comes again."""
    world = lives(data, [records])
    assert (world.finals, world.late, world.crossings) == undisturbed(records)


@given(st.data(), st.lists(steady(), min_size=2, max_size=3))
def test_several_sources_without_late_records_end_as_if_nothing_had_happened(
    data: st.DataObject, sources: list[list[Record]]
) -> None:
    """Several sources: only when no record is late by its own source's watermark.

    Such a record is counted if another source happens to hold the combined watermark back, and late if not. Which of
    the two is a matter of the order in which the sources are read, and a replay reads them in another order: the one
    number that both lives could agree on does not exist. (Flink without unaligned barriers is in the same place: what
    is late depends on the interleaving.) Where each record is in time for its own source, it is in time for all, as
    the combined watermark is behind every active one's; then no order matters.
    """
    world = lives(data, sources)
    assert world.finals == {key: {count} for key, count in exact(sources).items()}
    assert world.late == set()
    assert world.crossings == {key for key, count in exact(sources).items() if count > LIMIT}


@given(st.data(), st.lists(steady(), min_size=2, max_size=3))
def test_sources_that_share_no_key_may_commit_each_for_itself(data: st.DataObject, sources: list[list[Record]]) -> None:
    """Where the user is the partition key, several workers go on from commits of different moments.

    With a key in several sources that would be wrong: a window delivered after the older commit would come out again
    with a part of its records. There, one worker commits all sources in one moment.
    """
    apart = [
        [record._replace(key=record.key and f"{record.key}{source}") for record in records]
        for source, records in enumerate(sources)
    ]
    world = lives(data, apart, commit_apart=True)
    assert world.finals == {key: {count} for key, count in exact(apart).items()}
    assert world.late == set()


@given(st.data(), st.one_of(wild, steady()))
def test_the_accounting_closes_over_all_lives(data: st.DataObject, records: list[Record]) -> None:
    world = lives(data, [records])
    assert all(len(counts) == 1 for counts in world.finals.values())
    counted = sum(count for counts in world.finals.values() for count in counts)
    assert counted + len(world.late) == sum(record.key is not None for record in records)


def test_without_what_was_decided_a_delivered_record_would_be_late_as_well() -> None:
    """The negative control: forgetting `decided` in the commit breaks the accounting."""
    records = [Record("a", 5), Record("a", 12), Record("a", 25)]
    for remembered, late in ((True, set()), (False, {(0, 0)})):
        world = World([records])
        life = Life(world)
        life.read(0, 3)
        life.deliver()
        life.commit()
        if not remembered:
            world.committed[0] = Committed(world.committed[0].offset, world.committed[0].watermark)
        assert world.committed[0].offset == 0, "one batch holds the open window and the delivered one"
        Life(world).read(0, 3)
        assert world.late == late


def test_without_the_watermark_a_delivered_window_would_come_out_again_with_another_count() -> None:
    """The other negative control: forgetting `watermark` in the commit gives a window two values."""
    for remembered, values in ((True, {2}), (False, {1, 2})):
        world = World([[Record("a", 5), Record("a", 6), Record("a", 12), Record("a", 25), THE_END]])
        life = Life(world)
        life.read(0, 1)
        life.read(0, 3)
        life.deliver()
        life.commit()
        offset = 1
        assert world.committed[0] == Committed(offset, watermark=15, decided=4)
        if not remembered:
            world.committed[0] = Committed(offset)
        life = Life(world)
        life.read(0, 4)
        life.read(0, 4)
        while life.undelivered:
            life.deliver()
        assert world.finals["a", 0] == values


def test_a_batch_is_released_by_the_last_of_its_windows() -> None:
    pending: PendingBatches[str] = PendingBatches()
    pending.hold("both", {0, 10})
    pending.hold("second", {10})
    assert pending.release(0) == []
    assert sorted(pending.release(10)) == ["both", "second"]
    assert pending.release(10) == []


@pytest.mark.parametrize("decided", [True, False])
def test_what_comes_again_for_a_delivered_window_is_skipped_if_it_was_decided_and_late_if_not(decided: bool) -> None:  # noqa: FBT001 - a parametrised case
    windows = TumblingCount([0], size=SIZE, delay=DELAY, restored={0: 15})
    outcome = windows.add(0, ["a", "a"], [5, 12], active=[0], decided=decided)
    assert (outcome.counted, outcome.skipped, outcome.late) == (1, int(decided), [] if decided else [0])
