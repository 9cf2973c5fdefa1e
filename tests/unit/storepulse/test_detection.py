"""Rules, alerts, and which of them are published."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.activity.counts import WindowCount
from storepulse.detection.alerts import Alert
from storepulse.detection.cooldown import Cooldown
from storepulse.detection.rules import RateRule
from storepulse.identity import content_id, event_id
from storepulse.instants import parse_instant
from tests.builders import START, window_count
from tests.unit.storepulse.strategies import user_ids, window_counts

PERIOD = 60_000
COOLDOWN = Cooldown(period=timedelta(milliseconds=PERIOD))


def alert(at: int, user: str = "u") -> Alert:
    return Alert.of(window_count(user, start=START + at), rule="rate", limit=10)


@given(window_counts, st.integers(0, 100))
def test_an_alert_is_raised_exactly_over_the_limit(count: WindowCount, limit: int) -> None:
    raised = RateRule(name="rate", limit=limit).evaluate(count)
    assert (raised is not None) == (count.num_actions > limit)
    if raised is not None:
        assert (raised.user_id, raised.window_start, raised.window_end) == (
            count.user_id,
            count.window_start,
            count.window_end,
        )
        assert (raised.num_actions, raised.limit, raised.kind, raised.rule) == (
            count.num_actions,
            limit,
            count.kind,
            "rate",
        )


@given(window_counts, st.integers(1, 10**6))
def test_the_early_count_the_final_one_and_every_replay_give_one_alert_id(count: WindowCount, actions: int) -> None:
    rule = RateRule(limit=0)
    early = rule.evaluate(window_count(count.user_id, actions, start=START, kind="early"))
    final = rule.evaluate(window_count(count.user_id, actions + 1, start=START))
    assert early is not None
    assert final is not None
    assert early.alert_id == final.alert_id


@given(st.lists(st.tuples(st.sampled_from(["rate", "burst", "r"]), user_ids, st.integers(0, 5)), unique=True))
def test_alerts_that_differ_in_rule_user_or_window_have_different_ids(keys: list[tuple[str, str, int]]) -> None:
    ids = {
        Alert.of(window_count(user, start=START + n * 10_000), rule=rule, limit=1).alert_id for rule, user, n in keys
    }
    assert len(ids) == len(keys)


def test_an_alert_id_is_the_same_in_every_release() -> None:
    assert alert(0).alert_id == content_id("rate", "u", "2026-01-01T00:00:00.000Z")
    assert alert(0).alert_id == "d68e54e0bddfd2c862a6185bbcea9aef"


any_text = st.text(st.characters(), max_size=8)  # lone surrogates included
part_lists = st.lists(any_text | st.sampled_from(["", "1", "1:a", "a\x1f1:b", "a", "\x1f", "0:"]), max_size=4)


@given(part_lists, part_lists)
def test_lists_of_parts_that_differ_anywhere_have_different_ids(one: list[str], other: list[str]) -> None:
    assert (content_id(*one) == content_id(*other)) == (one == other)
    assert len(content_id(*one)) == 32


@pytest.mark.parametrize(("one", "other"), [(("ab", "c"), ("a", "bc")), (("a",), ("a", "")), ((), ("",))])
def test_a_part_has_its_own_borders(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert content_id(*one) != content_id(*other)


def test_the_same_line_twice_in_a_file_is_two_events() -> None:
    assert event_id("a.csv", 2, ["x"]) == event_id("a.csv", 2, ["x"])
    assert len({event_id("a.csv", 2, ["x"]), event_id("a.csv", 3, ["x"]), event_id("b.csv", 2, ["x"])}) == 3


# ---- cooldown


def published(alerts: Sequence[Alert], known: dict[str, bool], shown: set[str]) -> None:
    """Publish or only store each of `alerts`, one user's, as a detector does; note the windows of those published."""
    for each in alerts:
        if each.alert_id not in known:
            known[each.alert_id] = COOLDOWN.admits(each, shown)
            shown |= {each.window_start} if known[each.alert_id] else set()


steps = st.integers(0, 30) | st.integers(0, 10**6)
any_order = st.lists(steps, max_size=25).map(lambda at: [alert(step * 10_000) for step in at])


@given(any_order)
def test_published_alerts_are_a_period_apart_and_every_other_one_is_that_close_to_one_in_any_order(
    alerts: list[Alert],
) -> None:
    shown: set[str] = set()
    published(alerts, {}, shown)
    starts = sorted(parse_instant(start) for start in shown)
    assert all(later - earlier >= PERIOD for earlier, later in pairwise(starts))
    for each in alerts:
        assert any(abs(parse_instant(each.window_start) - start) < PERIOD for start in starts), "silenced without news"


@given(any_order, st.lists(st.integers(0, 25), max_size=4))
def test_whatever_is_read_again_the_same_alerts_are_published(alerts: list[Alert], crashes: list[int]) -> None:
    undisturbed: dict[str, bool] = {}
    published(alerts, undisturbed, set())
    known: dict[str, bool] = {}
    shown: set[str] = set()
    for crash in crashes:
        published(alerts[:crash], known, shown)
    published(alerts, known, shown)
    assert known == undisturbed


@given(any_order)
def test_what_was_decided_is_decided_so_again_later(alerts: list[Alert]) -> None:
    known: dict[str, bool] = {}
    shown: set[str] = set()
    published(alerts, known, shown)
    assert {each.alert_id: COOLDOWN.admits(each, shown) for each in alerts} == known


def test_an_alert_silences_those_closer_than_the_period_before_and_after_it_but_never_itself() -> None:
    told = {alert(PERIOD).window_start}
    assert COOLDOWN.admits(alert(0), ())
    assert COOLDOWN.admits(alert(PERIOD), told), "published, but not marked before a crash"
    silenced = [at for at in range(0, 3 * PERIOD, 10_000) if not COOLDOWN.admits(alert(at), told)]
    assert silenced == [at for at in range(10_000, 2 * PERIOD, 10_000) if at != PERIOD]


def test_without_a_period_nothing_is_silenced() -> None:
    assert Cooldown(period=timedelta()).admits(alert(0), {alert(0).window_start, alert(10_000).window_start})
