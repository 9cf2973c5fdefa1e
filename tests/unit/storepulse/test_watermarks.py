"""How far event time has come, over sources that may be idle."""

from hypothesis import given
from hypothesis import strategies as st

from storepulse.streaming.watermarks import BEGINNING, Watermarks
from storepulse.streaming.windows import window_of

sources = st.integers(0, 2)
moves = st.lists(st.tuples(sources, st.integers(-100, 100), st.sets(sources)), max_size=30)


@given(moves)
def test_the_combined_watermark_never_goes_back(steps: list[tuple[int, int, set[int]]]) -> None:
    watermarks = Watermarks(range(3), delay=10)
    seen = [BEGINNING]
    for source, time, active in steps:
        watermarks.observe(source, time)
        seen.append(watermarks.advance(active))
    assert seen == sorted(seen)


@given(moves)
def test_the_combined_watermark_rises_to_the_least_active_source_and_no_further(
    steps: list[tuple[int, int, set[int]]],
) -> None:
    watermarks = Watermarks(range(3), delay=10)
    latest: dict[int, int] = {}
    for source, time, active in steps:
        before = watermarks.combined
        watermarks.observe(source, time)
        latest[source] = max(time, latest.get(source, time))
        after = watermarks.advance(active)
        if active and active <= latest.keys():
            assert after == max(before, min(latest[source] for source in active) - 10)
        else:
            assert after == before


@given(moves, sources, st.sets(sources), st.integers(-100, 100))
def test_the_ceiling_is_how_far_one_source_alone_can_bring_the_watermark(
    steps: list[tuple[int, int, set[int]]], source: int, active: set[int], time: int
) -> None:
    watermarks = Watermarks(range(3), delay=10)
    for other, earlier, others in steps:
        watermarks.observe(other, earlier)
        watermarks.advance(others)
    before, ceiling = watermarks.combined, watermarks.ceiling(source, active)
    watermarks.observe(source, time)
    assert watermarks.advance(active | {source}) == max(before, min(watermarks[source], ceiling))


def test_restored_sources_go_on_from_where_all_of_them_were() -> None:
    assert Watermarks("ab", delay=10, restored={"a": 7, "b": 5}).combined == 5
    assert Watermarks("ab", delay=10, restored={"a": 7}).combined == BEGINNING


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6))
def test_every_time_is_in_one_window_that_starts_at_a_multiple_of_its_size(time: int, size: int) -> None:
    window = window_of(time, size)
    assert window.start <= time <= window.last == window.end - 1
    assert window.end - window.start == size
    assert window.start % size == 0
    assert window_of(window.end, size).start == window.end
