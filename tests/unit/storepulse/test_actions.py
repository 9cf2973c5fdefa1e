"""The windower's decoder agrees with the whole one, and a batch with its records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.activity.actions import NO_TIME, Actions, decode_actions
from storepulse.activity.codec import MAX_PAYLOAD_BYTES, MAX_REASON_LENGTH, decode
from storepulse.activity.events import Activity, Heartbeat
from storepulse.failures import BadPayload
from storepulse.instants import parse_instant
from tests.builders import START, heartbeat, payload
from tests.unit.storepulse.corpus import BAD, Bad
from tests.unit.storepulse.strategies import payloads


def each(batch: list[bytes]) -> Actions:
    """Decode record by record and put the columns together."""
    singles = [decode_actions([data]) for data in batch]
    return Actions(
        users=[single.users[0] for single in singles],
        times=[single.times[0] for single in singles],
        replay_shifts=[single.replay_shifts[0] for single in singles],
        bad={position: single.bad[0] for position, single in enumerate(singles) if single.bad},
    )


def one(user: str | None, event: Activity | Heartbeat) -> Actions:
    """Return the columns of one record."""
    return Actions(
        users=[user], times=[parse_instant(event.txn_timestamp)], replay_shifts=[event.replay_shift_ms], bad={}
    )


@given(payloads)
def test_a_record_that_is_an_event_has_the_same_user_time_and_shift_here(data: bytes) -> None:
    actions = decode_actions([data])
    match decode(data):
        case Activity() as event:
            assert actions == one(event.user_id, event)
        case Heartbeat() as beat:
            assert actions == one(None, beat)
        case BadPayload():
            assert actions.bad or actions.users[0] is not None, "what is no event moves event time for nobody"


@given(st.lists(payloads, max_size=6))
def test_a_batch_is_decoded_as_each_of_it(batch: list[bytes]) -> None:
    actions = decode_actions(batch)
    assert actions == each(batch)
    assert len(actions.users) == len(actions.times) == len(actions.replay_shifts) == len(batch)


@given(st.lists(payloads, max_size=6))
def test_whatever_the_bytes_each_record_is_an_action_a_heartbeat_or_bad(batch: list[bytes]) -> None:
    actions = decode_actions(batch)
    for position, (user, time) in enumerate(zip(actions.users, actions.times, strict=True)):
        assert (time == NO_TIME) == (position in actions.bad)
        assert user is None or (position not in actions.bad and user.encode())
    assert all(0 < len(bad.reason) <= MAX_REASON_LENGTH for bad in actions.bad.values())


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_a_bad_record_spoils_none_of_its_batch(bad: Bad) -> None:
    actions = decode_actions([payload(user_id="before"), bad.payload, heartbeat(START + 1), payload(user_id="after")])
    assert actions.users[::3] == ["before", "after"]
    assert actions.times[2] == START + 1
    assert (1 not in actions.bad) == bad.counted
    if not bad.counted:
        assert actions.bad[1].kind == bad.kind


@pytest.mark.parametrize("price", ["free", [1], None, -1])
def test_what_a_heartbeat_says_of_a_price_is_nobodys_concern(price: object) -> None:
    actions = decode_actions([heartbeat(START, price=price, replay_shift_ms=5), payload(replay_shift_ms=7)])
    assert (actions.users, actions.replay_shifts, actions.bad) == ([None, "541312140"], [5, 7], {})


def test_a_count_needs_no_price() -> None:
    assert not decode_actions([payload(price=...), payload(price=35)]).bad


def test_more_prices_than_are_kept_are_judged_all_the_same() -> None:
    many = [payload(price=f"{whole}.{cents:02}") for whole in range(700) for cents in range(100)]
    assert not decode_actions(many).bad
    assert list(decode_actions([*many, payload(price="1_0")]).bad) == [len(many)]


def test_a_batch_may_be_larger_than_a_record_may() -> None:
    record = payload(extra="x" * (MAX_PAYLOAD_BYTES // 2))
    assert decode_actions([record] * 3).users == ["541312140"] * 3


def test_a_batch_may_be_empty() -> None:
    assert decode_actions([]) == Actions()


def test_letters_beyond_ascii_are_read_as_they_are() -> None:
    assert decode_actions([payload(user_id="Zoë", brand="Ёлка")] * 2).users == ["Zoë"] * 2


@pytest.mark.parametrize("user", [7, "", None, ...])
def test_only_a_record_that_names_no_user_is_a_heartbeat(user: object) -> None:
    actions = decode_actions([payload(event_type="heartbeat", user_id=user)])
    assert bool(actions.bad) == (user in (7, ""))
    assert actions.users == [None]
