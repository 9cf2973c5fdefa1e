"""Laws of alerts: never lost, never told twice but for a kill, and the same decision in every replay."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.ports import AlertStatus
from storepulse.activity.counts import WindowCount
from storepulse.detection.alerts import Alert
from storepulse.instants import parse_instant
from tests.unit.detector.builders import START, WINDOW, Detector, Kill, Outage, alert, count, records

COUNTS = st.builds(
    count,
    user=st.sampled_from(["anna", "ben"]),
    actions=st.integers(8, 14),
    window=st.integers(0, 40),
    kind=st.sampled_from(["early", "final"]),
)
BATCHES = st.lists(st.lists(COUNTS, max_size=6), max_size=6)


def start_of(raised: Alert) -> int:
    """Return the start of its window in milliseconds."""
    return parse_instant(raised.window_start)


def over(batches: list[list[WindowCount]], limit: int = 10) -> set[tuple[str, str]]:
    """Return the user and window of each count over the limit."""
    return {(each.user_id, each.window_start) for batch in batches for each in batch if each.num_actions > limit}


@given(batches=BATCHES, failures=st.lists(st.booleans(), max_size=60), threads=st.sampled_from([1, 4]))
def test_each_alert_is_published_exactly_once_whatever_the_order_duplicates_and_retries(
    batches: list[list[WindowCount]], failures: list[bool], threads: int
) -> None:
    detector = Detector(cooldown=timedelta(), fail=Outage(failures), threads=threads)
    for batch in [*batches, *batches[:2]]:  # a replay as well
        detector(*records(*batch))
    published = Counter((each.user_id, each.window_start) for each in detector.publisher.published)
    assert published == Counter(over(batches))


@given(batches=BATCHES, kill_at=st.integers(0, 60))
def test_a_kill_at_any_point_loses_no_alert_and_repeats_one_at_most(
    batches: list[list[WindowCount]], kill_at: int
) -> None:
    calls = iter(range(1000))

    def kill(_: str) -> None:
        if next(calls) == kill_at:
            raise Kill

    undisturbed, detector = Detector(), Detector(fail=kill)
    for batch in batches:
        undisturbed(*records(*batch))
    for batch in batches:
        try:
            detector(*records(*batch))
        except Kill:
            detector(*records(*batch))  # the kcl_checkpoint did not pass it
    assert detector.alerts.statuses == undisturbed.alerts.statuses
    assert detector.alerts.alerts == undisturbed.alerts.alerts
    repeated = Counter(detector.published_ids()) - Counter(undisturbed.published_ids())
    assert set(detector.published_ids()) == set(undisturbed.published_ids())
    assert repeated.total() <= 1


@given(batches=BATCHES, seconds=st.integers(0, 400))
def test_a_replay_from_any_point_publishes_nothing_and_decides_the_same(
    batches: list[list[WindowCount]], seconds: int
) -> None:
    detector = Detector(cooldown=timedelta(seconds=seconds))
    for batch in batches:
        detector(*records(*batch))
    statuses, published = dict(detector.alerts.statuses), detector.published_ids()
    for batch in batches:
        detector(*records(*batch))
    assert (detector.alerts.statuses, detector.published_ids()) == (statuses, published)


@given(batches=BATCHES, seconds=st.integers(1, 400))
def test_published_alerts_of_a_user_are_a_cooldown_apart_and_every_other_is_that_close_to_one(
    batches: list[list[WindowCount]], seconds: int
) -> None:
    detector = Detector(cooldown=timedelta(seconds=seconds))
    for batch in batches:
        detector(*records(*batch))
    assert {(each.user_id, each.window_start) for each in detector.alerts.alerts.values()} == over(batches)
    assert AlertStatus.PENDING not in detector.alerts.statuses.values()
    for user in ("anna", "ben"):
        starts = sorted(start_of(each) for each in detector.publisher.published if each.user_id == user)
        assert all(later - sooner >= seconds * 1000 for sooner, later in pairwise(starts))
        for each in detector.alerts.alerts.values():
            if each.user_id == user:
                assert any(abs(start_of(each) - start) < seconds * 1000 for start in starts)


@given(batches=BATCHES, future=st.lists(st.tuples(st.integers(0, 6), st.integers(100, 10**6)), max_size=4))
def test_alerts_of_the_future_silence_nobody_now(
    batches: list[list[WindowCount]], future: list[tuple[int, int]]
) -> None:
    undisturbed, detector = Detector(), Detector()
    ahead = [list(batch) for batch in batches]
    for place, window in future:
        ahead.insert(min(place, len(ahead)), [count("anna", 30, window)])
    for batch in batches:
        undisturbed(*records(*batch))
    for batch in ahead:
        detector(*records(*batch))
    now = [each for each in detector.publisher.published if start_of(each) < START + 41 * WINDOW]
    assert [each.alert_id for each in now] == undisturbed.published_ids()


@given(batches=BATCHES, data=st.data())
def test_windows_that_come_out_of_order_are_told_of_if_nothing_near_them_was(
    batches: list[list[WindowCount]], data: st.DataObject
) -> None:
    detector = Detector(cooldown=timedelta(seconds=60))
    for each in data.draw(st.permutations([each for batch in batches for each in batch])):
        detector(*records(each))
    starts = {(user, parse_instant(start)) for user, start in over(batches)}
    lonely = {
        (user, start)
        for user, start in starts
        if not any(other == user and 0 < abs(start - at) < 60_000 for other, at in starts)
    }
    assert lonely <= {(each.user_id, start_of(each)) for each in detector.publisher.published}


def test_the_final_count_updates_the_early_alert_and_tells_nobody_again() -> None:
    detector = Detector()
    detector(*records(count(actions=11, kind="early")))
    detector(*records(count(actions=40)))
    [stored] = detector.alerts.alerts.values()
    assert (stored.num_actions, stored.kind, len(detector.publisher.published)) == (40, "final", 1)


def test_an_allowed_user_is_counted_and_stored_but_nobody_is_told() -> None:
    detector = Detector(allowed=frozenset({"anna"}))
    outcome = detector(*records(count("anna", 50)))
    assert detector.counts.counts
    assert [*detector.alerts.statuses.values()] == [AlertStatus.ALLOWED]
    assert (outcome.alerts, detector.publisher.published) == ([(alert("anna", 50), AlertStatus.ALLOWED)], [])
    assert detector(*records(count("anna", 50))).alerts == []


@pytest.mark.parametrize("point", ["message", "mark"])
def test_an_alert_stored_but_not_published_is_published_when_its_record_comes_again(point: str) -> None:
    killed = False

    def kill(what: str) -> None:
        nonlocal killed
        if what == point and not killed:
            killed = True
            raise Kill

    detector = Detector(fail=kill)
    with pytest.raises(Kill):
        detector(*records(count(actions=30)))
    detector(*records(count(actions=30)))
    assert [*detector.alerts.statuses.values()] == [AlertStatus.PUBLISHED]
    assert len(detector.publisher.published) == (1 if point == "message" else 2)
