"""A job that is stopped with a savepoint and started from it counts as one that was never stopped."""

from functools import partial

import pytest

from storepulse.instants import format_instant
from tests.builders import START, heartbeat, payload
from tests.parity.answers import Answer, pure
from tests.parity.job import answer_of, needs_flink
from tests.parity.live import LiveJob

pytestmark = [needs_flink, pytest.mark.parity, pytest.mark.timeout(1_800)]


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
#: In the third: a late one before any in time.
THIRD = [action("late and first", 2_000), action("third", 70_000), heartbeat(START + 100_000)]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    """What is out at the end of each life; the windows of the third have dropped one record, says a metric."""
    folder, answers, savepoint = tmp_path_factory.mktemp("job"), list[Answer](), ""
    for number, payloads in enumerate((FIRST, SECOND, THIRD)):
        with LiveJob(folder, savepoint=savepoint) as job:
            job.add(str(number), payloads)
            job.until(partial(_has_finals, (2, 4, 5)[number]))
            if number == 2:
                job.until_dropped(1)
            savepoint = job.stop_with_savepoint()
        answers.append(answer_of(folder))
    return answers


def _has_finals(enough: int, answer: Answer) -> bool:
    return answer.finals.total() >= enough


def test_no_window_is_lost_or_doubled_when_the_job_starts_from_its_savepoint(lives: list[Answer]) -> None:
    assert lives[1].differences(pure([*FIRST, *SECOND])) == []


def test_what_is_open_when_the_job_is_stopped_fires_in_its_next_life(lives: list[Answer]) -> None:
    first, second = lives[:2]
    assert [(count.user, count.num_actions) for count in first.finals] == [("first", 10)] * 2
    assert {count.user: count.num_actions for count in second.finals - first.finals} == {"before": 14, "behind": 15}


def test_the_eleventh_action_is_told_once_whichever_life_it_falls_in(lives: list[Answer]) -> None:
    assert [sorted(count.user for count in answer.earlies.elements()) for answer in lives[:2]] == [
        ["behind"],
        ["before", "behind"],
    ]


def test_a_late_record_before_any_in_time_of_a_life_is_dropped_and_seen_in_a_metric_alone(lives: list[Answer]) -> None:
    expected = pure([*FIRST, *SECOND, *THIRD])
    assert lives[2].differences(expected) == [f"bad - {('late', THIRD[0])!r}"], "known: docs/flink.md"
