"""Bytes to an event of stream 1, or to the reason why they are none. Nothing here raises, whatever the bytes."""

from typing import Final

import msgspec

from storepulse.activity.events import HEARTBEAT, Activity, Heartbeat
from storepulse.activity.nesting import MAX_DEPTH, is_deep
from storepulse.activity.prices import check_price
from storepulse.activity.users import check_user
from storepulse.failures import BadPayload, FailureKind
from storepulse.instants import parse_instant

MAX_PAYLOAD_BYTES: Final = 1024 * 1024  # what Kinesis takes by default
MAX_REASON_LENGTH: Final = 200


_NULL: Final = msgspec.Raw(b"null")


class _Kind(msgspec.Struct):
    event_type: str | None = None
    user_id: msgspec.Raw = _NULL  # of any type: what it must be is not decided here


_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_activity = msgspec.json.Decoder(Activity).decode
_decode_heartbeat = msgspec.json.Decoder(Heartbeat).decode
encode: Final = msgspec.json.Encoder().encode


def decode(payload: bytes) -> Activity | Heartbeat | BadPayload:
    """Return the event in `payload`, checked in every field. A record that names a user is no heartbeat.

    Args:
        payload: a record's data; any bytes at all.
    """
    try:
        check_bytes(payload)
        kind = _decode_kind(payload)
        if kind.event_type == HEARTBEAT and kind.user_id == _NULL:
            heartbeat = _decode_heartbeat(payload)
            parse_txn_timestamp(heartbeat.txn_timestamp)
            return heartbeat
        return _checked(_decode_activity(payload))
    except (ValueError, RecursionError) as error:
        return explain(error)


def _checked(event: Activity) -> Activity:
    parse_txn_timestamp(event.txn_timestamp)
    check_user(event.user_id)
    check_price(event.price)
    return event


def parse_txn_timestamp(text: str) -> int:
    """Return a `txn_timestamp` as milliseconds since the epoch; the ValueError otherwise names the field."""
    return parse_named("txn_timestamp", text)


def parse_named(field: str, text: str) -> int:
    """Return the instant in `field` as milliseconds since the epoch; the ValueError otherwise names the field."""
    try:
        return parse_instant(text)
    except ValueError as error:
        msg = f"{field}: {error}"
        raise ValueError(msg) from error


def check_bytes(payload: bytes) -> None:
    """Raise for what a JSON decoder need not look at: size, UTF-8 in fields it skips, and depth.

    Raises:
        ValueError: of the size, or the UTF-8.
        RecursionError: of the depth.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise TooLargeError(len(payload))
    if not payload.isascii():
        payload.decode()
    if len(payload) > MAX_DEPTH and is_deep(payload):
        raise RecursionError


class TooLargeError(ValueError):
    """The payload has more bytes than an event may have."""

    def __init__(self, size: int) -> None:
        """Name the size in bytes."""
        super().__init__(f"{size:,} bytes; an event has {MAX_PAYLOAD_BYTES:,} at most")


def explain(error: ValueError | RecursionError) -> BadPayload:
    """Return why a payload could not be decoded, as a person would say it, in a line however long the payload."""
    match error:
        case TooLargeError():
            return BadPayload(FailureKind.TOO_LARGE, str(error))
        case RecursionError():
            return BadPayload(FailureKind.MALFORMED, "nested too deeply")
        case UnicodeDecodeError():
            return BadPayload(FailureKind.MALFORMED, f"not UTF-8: {error.reason} at byte {error.start}")
        case msgspec.ValidationError():
            return BadPayload(FailureKind.INVALID, _shortened(str(error)))
        case msgspec.DecodeError():
            return BadPayload(FailureKind.MALFORMED, _shortened(f"not JSON: {error}"))
        case _:
            return BadPayload(FailureKind.INVALID, _shortened(str(error)))


def _shortened(reason: str) -> str:
    half = MAX_REASON_LENGTH // 2
    return reason if len(reason) <= MAX_REASON_LENGTH else f"{reason[: half - 3]} ... {reason[2 - half :]}"
