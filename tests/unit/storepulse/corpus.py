"""Payloads that are no event, each with what is to be said of it."""

from typing import Final, NamedTuple

from storepulse.activity.codec import MAX_PAYLOAD_BYTES
from storepulse.activity.nesting import MAX_DEPTH
from storepulse.failures import FailureKind
from tests.builders import heartbeat, payload

_WHOLE: Final = payload()
_OPEN: Final = _WHOLE[:-1]
_NO_USER: Final = payload(user_id=...)[:-1]
_NO_TIME: Final = payload(txn_timestamp=...)[:-1]


class Bad(NamedTuple):
    """One payload and its verdict."""

    name: str
    payload: bytes
    kind: FailureKind
    reason: str  # a part of it
    counted: bool = False  # what is wrong is in a field that no count needs


def _extra(value: bytes) -> bytes:
    return _OPEN + b',"extra":' + value + b"}"


def _user(value: bytes) -> bytes:
    return payload(user_id=...)[:-1] + b',"user_id":' + value + b"}"


def _price(value: bytes) -> bytes:
    return payload(price=...)[:-1] + b',"price":' + value + b"}"


_MALFORMED, _INVALID, _TOO_LARGE = FailureKind.MALFORMED, FailureKind.INVALID, FailureKind.TOO_LARGE

BAD: Final = [
    Bad("nothing", b"", _MALFORMED, "not JSON: Input data was truncated"),
    Bad("half a record", _WHOLE[: len(_WHOLE) // 2], _MALFORMED, "truncated"),
    Bad("two records", _WHOLE + _WHOLE, _MALFORMED, "trailing characters"),
    Bad("a line and a NUL", _WHOLE + b"\n\x00", _MALFORMED, "trailing characters"),
    Bad("more fields after it", _WHOLE + b',"x":1', _MALFORMED, "trailing characters"),
    Bad("a field with another after it", _WHOLE + b',"record":' + _WHOLE, _MALFORMED, "trailing characters"),
    Bad("what closes brackets around it", _WHOLE + b"},0]", _MALFORMED, "trailing characters"),
    Bad("what closes and opens brackets around it", b'0},{"record":' + _WHOLE, _INVALID, "got `int`"),
    Bad("a heartbeat that was an action", _NO_USER + b',"event_type":"heartbeat"}', _INVALID, "`"),
    Bad("an action that was a heartbeat", heartbeat()[:-1] + b',"event_type":"view"}', _INVALID, "`"),
    Bad("words", b"user bought a lamp", _MALFORMED, "invalid character (byte 0)"),
    Bad("a list", b"[" + _WHOLE + b"]", _INVALID, "Expected `object`, got `array`"),
    Bad("a number", b"42", _INVALID, "Expected `object`, got `int`"),
    Bad("a text", b'"heartbeat"', _INVALID, "Expected `object`, got `str`"),
    Bad("null", b"null", _INVALID, "Expected `object`, got `null`"),
    Bad("an empty object", b"{}", _INVALID, "missing required field"),
    Bad("a byte order mark", b"\xef\xbb\xbf" + _WHOLE, _MALFORMED, "invalid character (byte 0)"),
    Bad("UTF-16", _WHOLE.decode().encode("utf-16"), _MALFORMED, "not UTF-8: invalid start byte at byte 0"),
    Bad("Latin-1 in a field", payload(brand="@").replace(b"@", b"caf\xe9"), _MALFORMED, "not UTF-8"),
    Bad("bad UTF-8 in a skipped field", _extra(b'"\xff"'), _MALFORMED, "not UTF-8: invalid start byte"),
    Bad("bad UTF-8 in a name", _OPEN + b',"\xc3":1}', _MALFORMED, "not UTF-8: invalid continuation byte"),
    Bad("a surrogate in UTF-8", _extra(b'"\xed\xa0\x80"'), _MALFORMED, "not UTF-8"),
    Bad("an overlong encoding", _extra(b'"\xc0\xaf"'), _MALFORMED, "not UTF-8"),
    Bad("a lone high surrogate", _user(rb'"\ud800"'), _MALFORMED, "not JSON"),
    Bad("a lone high surrogate before text", _user(rb'"\ud800 and more text"'), _MALFORMED, "not JSON"),
    Bad("a lone high surrogate before another", _user(rb'"\ud800\ud800"'), _MALFORMED, "not JSON"),
    Bad("a lone low surrogate", _user(rb'"\udc00 and more text"'), _MALFORMED, "not JSON"),
    Bad("a line break in a text", _extra(b'"a\nb"'), _MALFORMED, "invalid character"),
    Bad("100,000 lists opened", _extra(b"[" * 100_000), _MALFORMED, "nested too deeply"),
    Bad("100,000 lists", _extra(b"[" * 100_000 + b"]" * 100_000), _MALFORMED, "nested too deeply"),
    Bad("a list too deep", _extra(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), _MALFORMED, "nested too deeply"),
    Bad("100,000 objects", _extra(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), _MALFORMED, "nested too deeply"),
    Bad("lists for a user", _user(b"[[1]]"), _INVALID, "Expected `str"),
    Bad("a bare NaN", _price(b"NaN"), _MALFORMED, "invalid character"),
    Bad("a bare Infinity", _price(b"-Infinity"), _MALFORMED, "invalid character"),
    Bad("a NaN in a skipped field", _extra(b"NaN"), _MALFORMED, "invalid character"),
    Bad("a price of NaN", payload(price="NaN"), _INVALID, "price is not a plausible amount: 'NaN'"),
    Bad("an infinite price", payload(price="inf"), _INVALID, "not a plausible amount: 'inf'"),
    Bad("a price below 0", payload(price="-1"), _INVALID, "not a plausible amount: '-1'"),
    Bad("a price of -5.00", payload(price="-5.00"), _INVALID, "not a plausible amount: '-5.00'"),
    Bad("a price of -0.00", payload(price="-0.00"), _INVALID, "not a plausible amount: '-0.00'"),
    Bad("a price of +1", payload(price="+1"), _INVALID, "not a plausible amount: '+1'"),
    Bad("a price of 01", payload(price="01"), _INVALID, "not a plausible amount: '01'"),
    Bad("a price of 1e5", payload(price="1e5"), _INVALID, "not a plausible amount: '1e5'"),
    Bad("a price of 1_000", payload(price="1_000"), _INVALID, "not a plausible amount: '1_000'"),
    Bad("a price in Arabic digits", payload(price="١٢"), _INVALID, "not a plausible amount"),
    Bad("a price with a blank", payload(price=" 1.50"), _INVALID, "not a plausible amount: ' 1.50'"),
    Bad("a price with a line break", payload(price="1.50\n"), _INVALID, "not a plausible amount"),
    Bad("a price without a digit after the point", payload(price="1."), _INVALID, "amount: '1.'"),
    Bad("a price without a digit before the point", payload(price=".5"), _INVALID, "amount: '.5'"),
    Bad("a price of 14 digits", payload(price="1" + "0" * 13), _INVALID, "not a plausible amount: '10"),
    Bad("a price to 13 places", payload(price="0." + "1" * 13), _INVALID, "not a plausible amount: '0."),
    Bad("an empty price", payload(price=""), _INVALID, "not a plausible amount: ''"),
    Bad("a price in words", payload(price="ten"), _INVALID, "not a plausible amount: 'ten'"),
    Bad("a number below 0 for a price", _price(b"-0.01"), _INVALID, "not a plausible amount: -0.01"),
    Bad("a number too large for a price", _price(b"1e13"), _INVALID, "amount: 10000000000000.0"),
    Bad("a price of 1e400", _price(b"1e400"), _INVALID, "Number out of range - at `$.price`"),
    Bad("a price of 30 digits", _price(b"9" * 30), _INVALID, "not a plausible amount: 1e+30"),
    Bad("a price of 100,000 digits", _price(b"9" * 100_000), _INVALID, "out of range - at `$.price`"),
    Bad("a null price", payload(price=None), _INVALID, "got `null` - at `$.price`"),
    Bad("true for a price", _price(b"true"), _INVALID, "got `bool` - at `$.price`"),
    Bad("a list for a price", _price(b"[1]"), _INVALID, "got `array` - at `$.price`"),
    Bad("no price", payload(price=...), _INVALID, "missing required field `price`", counted=True),
    Bad("no user", payload(user_id=...), _INVALID, "missing required field `user_id`"),
    Bad("a null user", payload(user_id=None), _INVALID, "user_id"),
    Bad("an empty user", payload(user_id=""), _INVALID, "Expected `str` of length >= 1 - at `$.user_id`"),
    Bad("a number for a user", payload(user_id=541312140), _INVALID, "got `int` - at `$.user_id`"),
    Bad("30 digits for a user", _user(b"9" * 30), _INVALID, "- at `$.user_id`"),
    Bad("a list for a user", payload(user_id=["u"]), _INVALID, "got `array` - at `$.user_id`"),
    Bad("a user too long for a key", payload(user_id="u" * 257), _INVALID, "length <= 256 - at `$.user_id`"),
    Bad("a blank for a user", payload(user_id=" "), _INVALID, "user_id: white space alone"),
    Bad("blanks of any kind for a user", payload(user_id="\t\x1f\x85\u3000 "), _INVALID, "white space"),
    Bad("a user too long in UTF-16", payload(user_id="😀" * 129), _INVALID, "258 UTF-16 code units"),
    Bad("a user given twice", _OPEN + b',"user_id":7}', _INVALID, "- at `$.user_id`"),
    Bad("a shift of 2**53 + 1", _extra(b'1,"replay_shift_ms":9007199254740993'), _INVALID, "- at `$.replay_shift_ms`"),
    Bad("a shift below -2**53", _extra(b'1,"replay_shift_ms":-9007199254740993'), _INVALID, "`$.replay_shift_ms`"),
    Bad("half a shift", payload(replay_shift_ms=0.5), _INVALID, "got `float` - at `$.replay_shift_ms`"),
    Bad("a shift with a point", _extra(b'1,"replay_shift_ms":1.0'), _INVALID, "got `float` - at `$.replay_shift_ms`"),
    Bad("a shift in words", payload(replay_shift_ms="1"), _INVALID, "got `str` - at `$.replay_shift_ms`"),
    Bad("true for a shift", payload(replay_shift_ms=True), _INVALID, "got `bool` - at `$.replay_shift_ms`"),
    Bad("a heartbeat with half a shift", heartbeat(replay_shift_ms=0.5), _INVALID, "got `float` - at"),
    Bad("a number for a category", payload(category_id=2103807459595387724), _INVALID, "category_id", counted=True),
    Bad("an unknown action", payload(event_type="look"), _INVALID, "Invalid enum value 'look'", counted=True),
    Bad("an action of a megabyte", payload(event_type="v" * 10**6), _INVALID, "Invalid enum value 'vvv", counted=True),
    Bad("a number for an action", payload(event_type=1), _INVALID, "event_type", counted=True),
    Bad("a heartbeat that names a user", payload(event_type="heartbeat"), _INVALID, "'heartbeat'", counted=True),
    Bad("a heartbeat without time", b'{"event_type":"heartbeat"}', _INVALID, "missing required field `txn_timestamp`"),
    Bad("no time", payload(txn_timestamp=...), _INVALID, "missing required field `txn_timestamp`"),
    Bad("a null time", payload(txn_timestamp=None), _INVALID, "got `null` - at `$.txn_timestamp`"),
    Bad("a number for the time", payload(txn_timestamp=1767225600000), _INVALID, "got `int` - at `$.txn_timestamp`"),
    Bad("no zone", payload(txn_timestamp="2026-01-01T00:00:00.000"), _INVALID, "txn_timestamp"),
    Bad("another zone", payload(txn_timestamp="2026-01-01T00:00:00.000+01:00"), _INVALID, "txn_timestamp"),
    Bad(
        "no such day", payload(txn_timestamp="2026-02-30T00:00:00.000Z"), _INVALID, "txn_timestamp: day is out of range"
    ),
    Bad(
        "a time given twice",
        _NO_TIME + b',"txn_timestamp":"2026-01-01T00:00:00.000Z","txn_timestamp":""}',
        _INVALID,
        "txn_",
    ),
    Bad("a byte too many", payload(extra="x" * MAX_PAYLOAD_BYTES), _TOO_LARGE, "1,048,576 at most"),
    Bad("ten megabytes", b"[" * 10_000_000, _TOO_LARGE, "10,000,000 bytes; an event has 1,048,576 at most"),
]
