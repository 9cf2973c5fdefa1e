"""A job that is stopped with a savepoint and started from it counts as one that was never stopped."""

from dataclasses import dataclass
from functools import partial

import pytest

from storepulse.instants import format_instant
from tests.builders import START, heartbeat, payload
from tests.parity.answers import Answer, pure
from tests.parity.job import answer_of, needs_flink
from tests.parity.live import LiveJob

pytestmark = [needs_flink, pytest.mark.timeout(1_800)]


def action(user: str, at: int) -> bytes:
    """Return an action `at` ms after the start."""
    return payload(user_id=user, txn_timestamp=format_instant(START + at), event_id=f"{user}{at}")


#: The windows from 0 and 10 s fire in the first life; that from 30 s is open, a user short of 11 actions, one behind.
FIRST = [
    *(action("first", at) for at in range(0, 20_000, 1_000)),
    *(action("before", at) for at in range(30_000, 30_008)),
    *(action("behind", at) for at in range(30_100, 30_112)),
]
#: In the second life: a late one after one in time, more in the window that was open, and what fires it.
SECOND = [
    action("before", 30_500),
    action("late", 1_000),
    *(action("before", at) for at in range(31_000, 31_005)),
    *(action("behind", at) for at in range(31_000, 31_003)),
    heartbeat(START + 60_000),
]
#: In the third: late ones before any in time. The window of the first had been fired by a heartbeat alone.
THIRD = [
    action("late and first", 45_000),
    action("late and second", 2_000),
    action("third", 70_000),
    heartbeat(START + 100_000),
]
#: In the fourth, which has two subtasks: late ones alone, of many users, so that each subtask gets some.
FOURTH = [action(f"late {number}", 85_000) for number in range(20)]


@dataclass(frozen=True)
class Life:
    """What is out at the end of a life, what windows dropped in it, and how many times it read stream 1."""

    answer: Answer
    dropped: int
    sources: int


#: How many finals and bad events are out when all of a life has been read.
ENDS = ((2, 0), (4, 1), (5, 3), (5, 23))


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> list[Life]:
    """What came of each life."""
    folder, lived, savepoint = tmp_path_factory.mktemp("job"), list[Life](), ""
    for number, payloads in enumerate((FIRST, SECOND, THIRD, FOURTH)):
        with LiveJob(folder, savepoint=savepoint, parallelism=2 if payloads is FOURTH else 1) as job:
            job.add(payloads)
            job.until(partial(_has, ENDS[number]))
            dropped, sources = job.dropped(), job.sources()
            savepoint = job.stop_with_savepoint()
        lived.append(Life(answer_of(folder), dropped, sources))
    return lived


def _has(enough: tuple[int, int], answer: Answer) -> bool:
    return answer.finals.total() >= enough[0] and answer.bad.total() >= enough[1]


def test_no_window_is_lost_or_doubled_when_the_job_starts_from_its_savepoint(lives: list[Life]) -> None:
    assert lives[1].answer.differences(pure([*FIRST, *SECOND])) == []


def test_what_is_open_when_the_job_is_stopped_fires_in_its_next_life(lives: list[Life]) -> None:
    first, second = (life.answer for life in lives[:2])
    assert [(count.user, count.num_actions) for count in first.finals] == [("first", 10)] * 2
    assert {count.user: count.num_actions for count in second.finals - first.finals} == {"before": 14, "behind": 15}


def test_the_eleventh_action_is_told_once_whichever_life_it_falls_in(lives: list[Life]) -> None:
    assert [sorted(count.user for count in life.answer.earlies.elements()) for life in lives[:2]] == [
        ["behind"],
        ["before", "behind"],
    ]


def test_a_late_record_before_any_in_time_of_a_life_is_a_bad_event(lives: list[Life]) -> None:
    assert lives[2].answer.differences(pure([*FIRST, *SECOND, *THIRD])) == []


def test_so_it_is_when_the_next_life_has_more_subtasks(lives: list[Life]) -> None:
    assert lives[3].answer.differences(pure([*FIRST, *SECOND, *THIRD, *FOURTH])) == []


def test_no_window_drops_a_record_unseen_in_any_life(lives: list[Life]) -> None:
    assert [life.dropped for life in lives] == [0, 0, 0, 0]


def test_stream_1_is_read_once_for_counts_and_bad_events(lives: list[Life]) -> None:
    assert [life.sources for life in lives] == [1, 1, 1, 1]
