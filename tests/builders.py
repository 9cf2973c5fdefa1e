"""Records that are right in every field, for tests that care about one of them."""

from typing import Any, Final

import msgspec

from storepulse.activity.counts import CountKind, WindowCount
from storepulse.activity.events import Activity
from storepulse.failures import BadEvent, BadPayload, FailureKind
from storepulse.instants import format_instant

START: Final = 1_767_225_600_000
"""2026-01-01T00:00:00.000Z, in milliseconds since the epoch; a window of any round size starts here."""

ACTIVITY: Final[dict[str, Any]] = {
    "event_time": "2019-10-01 00:00:00 UTC",
    "event_type": "view",
    "product_id": "44600062",
    "category_id": "2103807459595387724",
    "category_code": "electronics.smartphone",
    "brand": "shiseido",
    "price": "35.79",
    "user_id": "541312140",
    "user_session": "72d76fde-8bb3-4e00-8c23-a032dfed738c",
    "txn_timestamp": format_instant(START),
    "event_id": "0123456789abcdef0123456789abcdef",
}


def payload(**fields: object) -> bytes:
    """Return a record of stream 1, with `fields` in place of its own; a field given as `...` is left out."""
    record = ACTIVITY | fields
    return msgspec.json.encode({name: value for name, value in record.items() if value is not ...})


def heartbeat(at: int = START, **fields: object) -> bytes:
    """Return a heartbeat of the time `at`, with `fields` besides."""
    return msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": format_instant(at)} | fields)


def activity(**fields: object) -> Activity:
    """Return an action, with `fields` in place of its own."""
    return Activity(**(ACTIVITY | fields))


def window_count(
    user_id: str = "541312140", num_actions: int = 11, *, start: int = START, kind: CountKind = "final"
) -> WindowCount:
    """Return a user's final count in the 10 s from `start`."""
    return WindowCount(
        user_id=user_id,
        num_actions=num_actions,
        window_start=format_instant(start),
        window_end=format_instant(start + 10_000),
        kind=kind,
    )


def bad_event(number: int, payload: bytes = b"\xff\x00 not an event", reason: str = "not UTF-8") -> BadEvent:
    """Return the bad event of record `number` of a shard."""
    return BadEvent.of(
        BadPayload(FailureKind.MALFORMED, reason),
        payload,
        service="windower",
        stream="stream-1",
        shard_id="shardId-000000000000",
        sequence_number=str(10**55 + number),
        failed_at=format_instant(START),
    )
