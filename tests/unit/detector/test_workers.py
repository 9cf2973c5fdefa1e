"""Bounded threads and patience."""

from datetime import timedelta
from itertools import pairwise
from threading import Barrier, get_ident

import pytest
from structlog.testing import capture_logs

from detector.workers import Patience, Workers
from servicekit.clock import ManualClock
from servicekit.errors import PoisonRecordError, RetryableError


def failing(times: int, pauses: list[float]) -> tuple[Patience, list[int]]:
    """Return patience that notes its pauses, and a counter."""
    return Patience(first=1, longest=4, pause=pauses.append), [times]


def test_a_call_is_repeated_until_it_succeeds_with_pauses_that_double_up_to_a_limit() -> None:
    pauses: list[float] = []
    patience, left = failing(5, pauses)

    def call() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise RetryableError
        return "done"

    assert patience.keep_trying(call) == "done"
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, [1, 2, 4, 4, 4], strict=True))


def test_a_poison_record_is_not_tried_again() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise PoisonRecordError

    with pytest.raises(PoisonRecordError):
        Patience().keep_trying(call)
    assert len(calls) == 1


def test_giving_up_ends_the_retries() -> None:
    def call() -> None:
        raise RetryableError

    with pytest.raises(RetryableError):
        Patience(give_up=lambda: True).keep_trying(call)


def test_retries_of_minutes_are_errors_that_last_as_long_as_the_trouble() -> None:
    clock = ManualClock()

    def call() -> None:
        if clock.monotonic() < 600:
            msg = "throttled"
            raise RetryableError(msg)

    patience = Patience(clock=clock, pause=lambda seconds: clock.advance(timedelta(seconds=seconds)))
    with capture_logs() as logged:
        patience.keep_trying(call)
    lines = [line for line in logged if line["log_level"] == "error"]
    assert {line["event"] for line in lines} == {"still_retrying"}
    assert lines[0]["reason"] == "throttled"
    told = [line["seconds"] for line in lines]
    assert 120 <= told[0] <= 123
    assert all(30 <= later - sooner <= 33 for sooner, later in pairwise(told))
    assert 600 - told[-1] <= 33
    assert any(line["log_level"] == "warning" for line in logged), "the first ones are no errors"


def test_calls_run_at_the_same_time_and_their_results_keep_their_order() -> None:
    together = Barrier(4, timeout=10)
    workers = Workers(4)
    places = workers.run([lambda n=n: (together.wait(), n)[1] for n in range(4)])  # type: ignore[misc]  # a bound default
    workers.close()
    assert places == [0, 1, 2, 3]


def test_one_worker_is_the_callers_own_thread() -> None:
    assert Workers(1).run([get_ident, get_ident]) == [get_ident()] * 2


def test_an_error_comes_out_only_when_all_calls_have_ended() -> None:
    ended = []

    def fail() -> None:
        raise ValueError

    workers = Workers(2)
    with pytest.raises(ValueError, match=r"^$"):
        workers.run([fail, lambda: ended.append(1), lambda: ended.append(2)])
    workers.close()
    assert sorted(ended) == [1, 2]
