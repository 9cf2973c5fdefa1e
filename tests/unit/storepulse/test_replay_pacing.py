"""Laws of the replay's pace and clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.replay.pacing import AtOnce, EventTimes, FixedInterval, Pace, ReplayClock

TIMES = st.integers(0, 4_000_000_000_000)
WINDOWS = st.integers(1, 86_400_000)


@given(first=TIMES, at=TIMES, window=WINDOWS, gap=st.integers(0, 10**12))
def test_a_clock_that_starts_somewhere_keeps_every_gap_and_every_place_in_a_window(
    first: int, at: int, window: int, gap: int
) -> None:
    clock = ReplayClock.starting(first=first, at=at, window=window)
    assert 0 <= clock.stamp(first) - at < window
    assert clock.stamp(first + gap) - clock.stamp(first) == gap
    assert clock.stamp(first) % window == first % window


@given(last=TIMES, at=TIMES, window=WINDOWS)
def test_a_clock_that_ends_somewhere_never_stamps_the_last_row_after_it(last: int, at: int, window: int) -> None:
    clock = ReplayClock.ending(last=last, at=at, window=window)
    assert 0 <= at - clock.stamp(last) < window
    assert clock.stamp(last) % window == last % window


@given(index=st.integers(0, 10**6), elapsed=st.integers(0, 10**9))
@pytest.mark.parametrize("pace", [FixedInterval(250.0), EventTimes(3.0), AtOnce()])
def test_rows_are_never_due_before_the_ones_before_them(pace: Pace, index: int, elapsed: int) -> None:
    assert 0 <= pace.due(index, elapsed) <= pace.due(index + 1, elapsed + 1)


@given(speed=st.floats(0.001, 1000), elapsed=st.integers(0, 10**9))
def test_the_event_time_reached_when_a_row_is_due_is_the_rows_own(speed: float, elapsed: int) -> None:
    reached = EventTimes(speed).reached(EventTimes(speed).due(0, elapsed))
    assert reached is not None
    assert abs(reached - elapsed) <= 1


def test_only_the_files_own_gaps_say_what_event_time_is_reached_between_rows() -> None:
    assert FixedInterval(250.0).reached(1000.0) is None
    assert AtOnce().reached(1000.0) is None
