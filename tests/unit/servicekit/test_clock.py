from datetime import UTC, datetime, timedelta, timezone

import pytest

from servicekit.clock import ManualClock, SystemClock


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_system_clocks_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)


def test_a_manual_clock_moves_both_of_its_times_by_hand_only() -> None:
    clock = ManualClock(datetime(2019, 10, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    clock.advance(timedelta(seconds=90))
    assert clock.now() == datetime(2019, 10, 1, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() == 90


def test_time_never_goes_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock().advance(timedelta(seconds=-1))
