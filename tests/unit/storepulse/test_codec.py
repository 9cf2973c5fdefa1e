"""Bytes to events: whatever the bytes, an event or a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.activity.codec import MAX_PAYLOAD_BYTES, MAX_REASON_LENGTH, decode, encode
from storepulse.activity.events import Activity, Heartbeat
from storepulse.activity.users import MAX_KEY_UNITS, partition_key
from storepulse.failures import BadPayload, FailureKind
from storepulse.instants import parse_instant
from tests.builders import START, activity, heartbeat, payload
from tests.unit.storepulse.corpus import BAD, Bad
from tests.unit.storepulse.strategies import activities, heartbeats, names_somebody, payloads


@given(st.one_of(activities, heartbeats))
def test_an_event_survives_the_wire(event: Activity | Heartbeat) -> None:
    assert decode(encode(event)) == event


@given(payloads)
def test_any_bytes_are_an_event_that_can_be_written_again_or_a_reason(data: bytes) -> None:
    outcome = decode(data)
    if isinstance(outcome, BadPayload):
        assert 0 < len(outcome.reason) <= MAX_REASON_LENGTH
        outcome.reason.encode()
    else:
        assert decode(encode(outcome)) == outcome
        parse_instant(outcome.txn_timestamp)


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_a_payload_that_is_no_event_has_a_kind_and_a_reason_that_a_person_understands(bad: Bad) -> None:
    outcome = decode(bad.payload)
    assert isinstance(outcome, BadPayload)
    assert outcome.kind == bad.kind
    assert bad.reason in outcome.reason
    assert len(outcome.reason) <= MAX_REASON_LENGTH


@pytest.mark.parametrize(
    "price",
    [
        "35.79",
        "0",
        "0.00",
        "12.50",
        "0.000000000001",
        "9999999999999.999999999999",
        0,
        0.1,
        10**12,
        9_999_999_999_999.9,
    ],
)
def test_a_price_is_kept_as_it_is_written(price: str | float) -> None:
    outcome = decode(payload(price=price))
    assert isinstance(outcome, Activity)
    assert outcome.price == price
    assert decode(encode(outcome)) == outcome


@pytest.mark.parametrize("user", ["u" * 256, " u", "u ", "\u3000u", "\ufeff", "😀" * 128, "\u200b"])
def test_a_user_id_is_kept_as_it_is(user: str) -> None:
    outcome = decode(payload(user_id=user))
    assert isinstance(outcome, Activity)
    assert outcome.user_id == user


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_a_user_id_is_good_or_bad_as_python_says_of_its_white_space_and_utf16_of_its_length(user: str) -> None:
    assert isinstance(decode(payload(user_id=user)), Activity) == names_somebody(user)


def test_every_white_space_character_alone_names_nobody_and_no_other_character_does() -> None:
    alone = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    refused = [character for character in alone if isinstance(decode(payload(user_id=character)), BadPayload)]
    assert refused == [character for character in alone if character.isspace()]
    assert len(refused) == 29


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_a_partition_key_is_what_fits_of_a_text_and_no_half_character(text: str) -> None:
    key = partition_key(text)
    assert text.startswith(key)
    assert len(key.encode("utf-16-le")) <= 2 * MAX_KEY_UNITS
    assert key == text or len(key.encode("utf-16-le")) >= 2 * MAX_KEY_UNITS - 2


def test_the_fields_that_a_store_leaves_empty_may_be_null_or_missing() -> None:
    empty = {"category_id": None, "category_code": None, "brand": None, "user_session": None}
    assert decode(payload(**empty)) == decode(payload(**dict.fromkeys(empty, ...))) == activity(**empty)


def test_a_field_that_is_not_known_yet_is_no_reason_to_refuse_a_record() -> None:
    assert decode(payload(coupon={"code": "2026"})) == activity()


def test_a_user_may_have_any_character_that_utf8_has() -> None:
    outcome = decode(payload(user_id="@").replace(b"@", rb"\u00fc\ud83d\ude00"))
    assert isinstance(outcome, Activity)
    assert outcome.user_id.encode() == "ü😀".encode()


def test_a_heartbeat_is_told_from_an_action() -> None:
    assert decode(heartbeat(START + 7)) == Heartbeat(txn_timestamp="2026-01-01T00:00:00.007Z")


def test_the_last_of_two_fields_with_one_name_counts() -> None:
    assert decode(payload()[:-1] + b',"user_id":"other"}') == activity(user_id="other")


@pytest.mark.parametrize("size", [MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1])
def test_a_payload_is_too_large_from_one_byte_over_the_limit(size: int) -> None:
    outcome = decode(payload(extra="x" * (size - len(payload(extra="")))))
    too_large = isinstance(outcome, BadPayload) and outcome.kind == FailureKind.TOO_LARGE
    assert too_large == (size > MAX_PAYLOAD_BYTES)
    assert isinstance(outcome, Activity) != too_large
