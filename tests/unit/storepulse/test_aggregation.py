"""`TumblingCount` gives what Flink gives, whatever the input and however it is cut into batches."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storepulse.streaming.aggregation import TumblingCount
from storepulse.streaming.watermarks import BEGINNING
from tests.unit.storepulse.flink import Answer, Flink, Record, Step

LIMIT = 2
ALL = frozenset({0, 1, 2})


@dataclass(frozen=True)
class Spans:
    size: int
    delay: int


spans = st.builds(Spans, size=st.sampled_from([1, 7, 10]), delay=st.sampled_from([0, 3, 10, 25]))
EDGES = [-1, 0, 9, 10, 19, 20, 29, 30, 39, 40]
times = st.one_of(st.integers(-20, 60), st.sampled_from(EDGES))
records = st.builds(Record, key=st.sampled_from(["a", "b", None]), time=times)
bursts = st.tuples(times, st.lists(st.sampled_from("aab"), min_size=1, max_size=4)).map(
    lambda burst: [Record(key, burst[0]) for key in burst[1]]
)
rising = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4)), max_size=30).map(
    lambda gaps: [Record(key, sum(gap for _, gap in gaps[: n + 1])) for n, (key, _) in enumerate(gaps)]
)


def reads(sources: Sequence[int]) -> st.SearchStrategy[list[Step]]:
    """Draw what is read from `sources`, each time with some of them idle."""
    some = st.sampled_from(sources)
    read = st.tuples(some, st.sets(some), st.one_of(bursts, bursts, st.lists(records, max_size=12)))
    return st.lists(read, max_size=12).map(
        lambda parts: [Step(s, frozenset(active | {s}), record) for s, active, batch in parts for record in batch]
    )


runs = st.one_of(
    reads([0]),
    reads([0, 1]),
    reads([0, 1, 2]),
    rising.map(lambda records: [Step(0, frozenset({0}), record) for record in records]),
)


def cut(steps: Sequence[Step], sizes: Sequence[int]) -> list[list[Step]]:
    """Cut into batches of one source and one set of active ones, no longer than `sizes` say, over and over."""
    batches: list[list[Step]] = []
    room = 0
    for step in steps:
        if not batches or not room or step[:2] != batches[-1][0][:2]:
            room = sizes[len(batches) % len(sizes)]
            batches.append([])
        batches[-1].append(step)
        room -= 1
    return batches


def counted(steps: Sequence[Step], sizes: Sequence[int], span: Spans, *, fire_every: int = 1) -> Answer:
    """Run the product's aggregation over `steps`."""
    windows = TumblingCount(ALL, size=span.size, delay=span.delay, limit=LIMIT)
    answer, first = Answer(), 0
    batches = cut(steps, sizes)
    for number, batch in enumerate(batches, start=1):
        keys, times = [step.record.key for step in batch], [step.record.time for step in batch]
        outcome = windows.add(batch[0].source, keys, times, active=batch[0].active)
        assert outcome.counted + len(outcome.late) == len(batch) - keys.count(None)
        assert outcome.skipped == 0
        answer.late += [first + position for position in outcome.late]
        answer.crossings += [(crossing.key, crossing.window.start) for crossing in outcome.crossings]
        assert all(crossing.num_actions == LIMIT + 1 for crossing in outcome.crossings)
        first += len(batch)
        if number % fire_every == 0 or number == len(batches):
            answer.finals += [(fired.window.start, fired.counts) for fired in windows.fire(batch[0].active)]
    answer.still_open = {start: dict(counts) for start, counts in windows._open.items()}
    assert windows.open_windows == len(answer.still_open)
    assert windows.open_counts == sum(map(len, answer.still_open.values()))
    return answer


def flink(steps: Sequence[Step], span: Spans, off_by: int = 0) -> Answer:
    return Flink(size=span.size, delay=span.delay, limit=LIMIT, off_by=off_by).run(list(steps))


@given(runs, st.lists(st.integers(1, 9), min_size=1, max_size=5), spans)
def test_any_input_in_any_batches_gives_what_flink_gives(steps: list[Step], sizes: list[int], span: Spans) -> None:
    assert counted(steps, sizes, span) == flink(steps, span)


@given(runs, st.lists(st.integers(1, 9), min_size=1, max_size=5), spans, st.integers(2, 20))
def test_how_often_windows_are_fired_changes_only_when_they_come_out(
    steps: list[Step], sizes: list[int], span: Spans, fire_every: int
) -> None:
    rarely, always = counted(steps, sizes, span, fire_every=fire_every), counted(steps, [1], span)
    assert sorted(rarely.finals, key=str) == sorted(always.finals, key=str)
    assert (rarely.late, rarely.crossings, rarely.still_open) == (always.late, always.crossings, always.still_open)


@given(runs, spans)
def test_every_action_is_counted_in_one_window_or_late(steps: list[Step], span: Spans) -> None:
    answer = counted(steps, [5], span)
    totals: Counter[str] = Counter()
    for counts in [*(counts for _, counts in answer.finals), *answer.still_open.values()]:
        totals.update(counts)
    totals.update(step.record.key for number, step in enumerate(steps) if number in answer.late and step.record.key)
    assert totals == Counter(step.record.key for step in steps if step.record.key)
    starts = [start for start, _ in answer.finals]
    assert len(starts) == len(set(starts)), "a window fires once"


@given(runs, spans)
def test_a_key_crosses_the_limit_once_in_each_window_that_has_more_than_the_limit(
    steps: list[Step], span: Spans
) -> None:
    answer = counted(steps, [4], span)
    windows = [*answer.finals, *answer.still_open.items()]
    over = [(key, start) for start, counts in windows for key, count in counts.items() if count > LIMIT]
    assert sorted(answer.crossings) == sorted(over)


def test_a_judge_that_is_a_millisecond_off_disagrees() -> None:
    steps = [Step(0, frozenset({0}), Record("a", time)) for time in (5, 29, 5)]
    span = Spans(size=10, delay=20)
    assert counted(steps, [3], span) == flink(steps, span)
    assert counted(steps, [3], span).late == [2]
    assert counted(steps, [3], span) != flink(steps, span, off_by=1)
    assert counted(steps, [3], span) != flink([*steps[:1], steps[1]._replace(record=Record("a", 28)), steps[2]], span)


@given(runs, spans)
@example([Step(0, frozenset({0}), Record("a", time)) for time in range(60)], Spans(10, 10))
def test_a_window_that_has_fired_leaves_nothing_in_memory(steps: list[Step], span: Spans) -> None:
    windows = TumblingCount(ALL, size=span.size, delay=span.delay)
    for step in steps:
        windows.add(step.source, [step.record.key], [step.record.time], active=step.active)
        windows.fire(step.active)
        assert all(start + span.size - 1 > windows.watermarks.combined for start in windows._open)
        assert all(windows._open.values()), "a window is held for records, not for heartbeats or late ones"
    for source in ALL:
        windows.add(source, [None], [10**6], active=ALL)
    windows.fire(ALL)
    assert (windows.open_windows, windows.open_counts) == (0, 0)


def test_a_record_without_time_moves_nothing() -> None:
    windows = TumblingCount([0], size=10, delay=10)
    outcome = windows.add(0, ["a", None, "a"], [5, BEGINNING, 25], active=[0])
    assert (outcome.counted, outcome.late, outcome.touched) == (2, [], {0, 20})
    assert windows.add(0, [None], [BEGINNING], active=[0]).touched == set()
    assert windows.watermarks[0] == 15


def test_columns_of_unequal_length_are_refused_and_nothing_is_counted() -> None:
    windows = TumblingCount([0], size=10, delay=10)
    with pytest.raises(ValueError, match="2 keys and 1 times"):
        windows.add(0, ["a", "b"], [1], active=[0])
    assert windows.open_counts == 0


def test_an_empty_batch_does_nothing() -> None:
    windows = TumblingCount([0], size=10, delay=10)
    outcome = windows.add(0, [], [], active=[0])
    assert (outcome.counted, outcome.late, windows.open_windows) == (0, [], 0)
    assert windows.watermarks[0] == BEGINNING


def test_a_source_that_wakes_finds_late_what_had_fired_to_the_millisecond() -> None:
    alone, both = frozenset({0}), frozenset({0, 1})
    steps = [Step(0, alone, Record(None, 19)), Step(0, both, Record("a", 9)), Step(0, both, Record(None, 9))]
    span = Spans(size=10, delay=10)
    assert counted(steps, [1, 2], span) == flink(steps, span)
    assert counted(steps, [1, 2], span).late == [1]


def test_the_slowest_source_closes_a_window_to_the_millisecond() -> None:
    both = frozenset({0, 1})
    steps = [Step(1, both, Record(None, 19)), *(Step(0, both, Record("a", time)) for time in (5, 50, 5))]
    span = Spans(size=10, delay=10)
    assert counted(steps, [3], span) == flink(steps, span)
    assert counted(steps, [3], span).late == [3]


def test_each_restored_source_goes_by_what_was_delivered_of_its_own() -> None:
    windows = TumblingCount([0, 1], size=10, delay=10, restored={0: 29, 1: 9})
    again = windows.add(0, ["a"], [25], active=[0, 1], decided=True)
    assert (again.skipped, again.counted) == (1, 0)
    again = windows.add(1, ["b"], [25], active=[0, 1], decided=True)
    assert (again.skipped, again.counted) == (0, 1)
