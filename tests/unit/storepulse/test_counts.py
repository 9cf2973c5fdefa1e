"""The records of stream 2."""

import msgspec
import pytest
from hypothesis import given

from storepulse.activity.codec import MAX_REASON_LENGTH
from storepulse.activity.counts import WindowCount, decode_count, encode_count
from storepulse.failures import BadPayload, FailureKind
from tests.builders import window_count
from tests.unit.storepulse.strategies import count_payloads, window_counts

COUNT = msgspec.to_builtins(window_count())


def changed(**fields: object) -> bytes:
    return msgspec.json.encode({name: value for name, value in (COUNT | fields).items() if value is not ...})


@given(window_counts)
def test_a_count_survives_the_wire(count: WindowCount) -> None:
    assert decode_count(encode_count(count)) == count


@given(count_payloads)
def test_any_bytes_are_a_count_that_can_be_written_again_or_a_reason(data: bytes) -> None:
    outcome = decode_count(data)
    if isinstance(outcome, WindowCount):
        assert decode_count(encode_count(outcome)) == outcome
    else:
        assert 0 < len(outcome.reason) <= MAX_REASON_LENGTH


def test_a_count_without_a_kind_is_final() -> None:
    assert decode_count(changed(kind=...)) == window_count()


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"", FailureKind.MALFORMED, "truncated"),
        (b"\xff", FailureKind.MALFORMED, "not UTF-8"),
        (b"[" * 2_000_000, FailureKind.TOO_LARGE, "1,048,576 at most"),
        (encode_count(window_count())[:-1] + b',"extra":' + b"[" * 100_000, FailureKind.MALFORMED, "too deeply"),
        (b"[]", FailureKind.INVALID, "Expected `object`, got `array`"),
        (changed(user_id=None), FailureKind.INVALID, "at `$.user_id`"),
        (changed(user_id=""), FailureKind.INVALID, "at `$.user_id`"),
        (changed(user_id=...), FailureKind.INVALID, "missing required field `user_id`"),
        (changed(num_actions=0), FailureKind.INVALID, "`int` >= 1 - at `$.num_actions`"),
        (changed(num_actions=10**30), FailureKind.INVALID, "at `$.num_actions`"),
        (changed(num_actions=1.5), FailureKind.INVALID, "at `$.num_actions`"),
        (changed(num_actions="11"), FailureKind.INVALID, "at `$.num_actions`"),
        (changed(kind="middle"), FailureKind.INVALID, "Invalid enum value 'middle'"),
        (changed(window_start="2026-01-01 00:00:00"), FailureKind.INVALID, "at `$.window_start`"),
        (changed(window_start="2026-02-30T00:00:00.000Z"), FailureKind.INVALID, "window_start: day is out of range"),
        (changed(window_end="2026-01-01T24:00:00.000Z"), FailureKind.INVALID, "window_end: hour must be in 0..23"),
        (changed(window_end=COUNT["window_start"]), FailureKind.INVALID, "window_end is not after window_start"),
    ],
)
def test_what_is_no_count_has_a_kind_and_a_reason(data: bytes, kind: FailureKind, reason: str) -> None:
    outcome = decode_count(data)
    assert isinstance(outcome, BadPayload)
    assert outcome.kind == kind
    assert reason in outcome.reason
