"""Planted bots do what their plan says, and their labels are true."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.activity.codec import decode
from storepulse.activity.events import Activity
from storepulse.instants import format_instant, parse_instant
from storepulse.replay.bots import (
    Bot,
    Burst,
    LowAndSlow,
    Plan,
    PlanError,
    Straddle,
    Sustained,
    decode_plan,
    label,
    plant,
)
from storepulse.replay.event_times import parse_event_time
from storepulse.replay.rows import COLUMNS, Encoded, RowCodec
from tests.builders import START

WINDOW = 10_000
LIMIT = 10
SMALL = st.integers(1, 60)
NAMES = st.integers(0, 10**6).map(lambda number: f"bot-{number}")
BOTS: st.SearchStrategy[Bot] = st.one_of(
    st.builds(Burst, user_id=NAMES, at=SMALL, actions=SMALL, within=SMALL),
    st.builds(Sustained, user_id=NAMES, at=SMALL, per_second=st.integers(1, 5), lasting=SMALL),
    st.builds(Straddle, user_id=NAMES, after=SMALL, each_side=st.integers(1, 20)),
    st.builds(LowAndSlow, user_id=NAMES, at=SMALL, every=SMALL, actions=SMALL),
)
PLANS = st.lists(BOTS, max_size=5, unique_by=lambda bot: bot.user_id).map(lambda bots: Plan(bots=bots))
FIRSTS = st.integers(START // 1000, START // 1000 + 1000).map(lambda second: second * 1000)


@given(plan=PLANS, first=FIRSTS, shift=st.integers(-1000, 1000).map(lambda windows: windows * WINDOW))
def test_labels_say_what_a_count_of_the_planted_rows_says(plan: Plan, first: int, shift: int) -> None:
    counts: Counter[tuple[str, int]] = Counter()
    for action in plant(plan, first=first, window=WINDOW):
        stamp = parse_event_time(action.values[0]) + shift
        counts[action.values[COLUMNS.index("user_id")], stamp - stamp % WINDOW] += 1
    labels = label(plan, first=first, shift=shift, window=WINDOW, limit=LIMIT)
    told = {(bot.user_id, parse_instant(each.window_start)): each.num_actions for bot in labels for each in bot.windows}
    assert told == {place: count for place, count in counts.items() if count > LIMIT}
    assert all(bot.should_alert == bool(bot.windows) for bot in labels)


@given(plan=PLANS, first=FIRSTS)
def test_planted_rows_come_in_time_order_not_before_the_first_row_and_decode(plan: Plan, first: int) -> None:
    actions = plant(plan, first=first, window=WINDOW)
    times = [action.event_time for action in actions]
    assert times == sorted(times)
    assert all(time >= first for time in times)
    codec = RowCodec("bots", COLUMNS, key="category_id")
    for line, action in enumerate(actions[:20], 1):
        encoded = codec.encode(line, action.values, format_instant(START))
        assert isinstance(encoded, Encoded)
        assert isinstance(decode(encoded.payload), Activity)


@given(first=FIRSTS, after=SMALL)
def test_a_bot_that_straddles_a_boundary_fills_two_windows_to_the_limit_and_raises_no_alert(
    first: int, after: int
) -> None:
    plan = Plan(bots=[Straddle(user_id="bot-s", after=after, each_side=LIMIT)])
    (bot,) = label(plan, first=first, shift=0, window=WINDOW, limit=LIMIT)
    times = [action.event_time for action in plant(plan, first=first, window=WINDOW)]
    assert not bot.should_alert
    assert bot.actions == 2 * LIMIT
    assert max(times) - min(times) < WINDOW
    assert len({time // WINDOW for time in times}) == 2


def test_a_plan_survives_being_written_and_read() -> None:
    plan = Plan(bots=[Burst(user_id="bot-a", at=1, actions=40), LowAndSlow(user_id="bot-b", at=0, every=5, actions=9)])
    assert decode_plan(msgspec.json.encode(plan)) == plan


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "not a plan"),
        (b"\xff", "not a plan"),
        (b"[" * 100_000, "not a plan"),
        (b'{"bots":[{"kind":"storm","user_id":"bot-a"}]}', "not a plan"),
        (b'{"bots":[{"kind":"burst","user_id":"541312140","at":0,"actions":9}]}', "not a plan"),
        (b'{"bots":[{"kind":"burst","user_id":"bot-a","at":-1,"actions":9}]}', "not a plan"),
        (
            b'{"bots":[{"kind":"straddle","user_id":"bot-a","after":1},{"kind":"straddle","user_id":"bot-a","after":9}]}',
            "two bots",
        ),
        (b'{"bots":[{"kind":"sustained","user_id":"bot-a","at":0,"per_second":1000,"lasting":9999}]}', "more than"),
    ],
)
def test_a_plan_that_cannot_be_played_says_why(text: bytes, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        decode_plan(text)
