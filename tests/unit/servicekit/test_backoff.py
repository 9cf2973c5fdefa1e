"""Waits between tries."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from servicekit.backoff import Backoff

waits = st.floats(0.001, 100)


@given(waits, waits, st.integers(1, 80), st.randoms(use_true_random=False))
def test_a_wait_is_half_to_all_of_the_doubled_first_one_and_never_over_the_longest(
    first: float, longest: float, tries: int, random: Random
) -> None:
    backoff = Backoff(first, longest, random)
    for number in range(tries):
        most = min(first * 2.0**number, longest)
        assert most / 2 <= backoff.next_s() <= most


def test_after_a_success_waits_are_short_again() -> None:
    backoff = Backoff(1, 1_000)
    for _ in range(8):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1


def test_an_outage_is_no_flood_of_lines() -> None:
    backoff = Backoff()
    told = []
    for number in range(1, 101):
        if backoff.is_worth_a_line:
            told.append(number)
        backoff.next_s()
    assert told == [1, 2, 4, 8, 16, 32, 64]
