"""The records of stream 2: how many actions a user had in one window."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from storepulse.activity.codec import check_bytes, explain, parse_named
from storepulse.activity.events import InstantText
from storepulse.activity.users import UserId, check_user
from storepulse.failures import BadPayload

MAX_ACTIONS: Final = 2**53  # exact in every reader of JSON
CountKind = Literal["final", "early"]


class WindowCount(msgspec.Struct, frozen=True, kw_only=True):
    """A user's actions in the window ``[window_start, window_end)``. Schema ``window-count/1``.

    Final: the window has fired, this is the whole count. Early: the user has just passed the limit inside the open
    window; the final count follows. Its partition key is `user_id`.
    """

    user_id: UserId
    num_actions: Annotated[int, Meta(ge=1, le=MAX_ACTIONS)]
    window_start: InstantText
    window_end: InstantText  # exclusive
    kind: CountKind = "final"  # Flink's first job wrote none


_decode: Final = msgspec.json.Decoder(WindowCount).decode
encode_count: Final = msgspec.json.Encoder().encode


def decode_count(payload: bytes) -> WindowCount | BadPayload:
    """Return the window count in `payload`, or why it is none; never raises, whatever the bytes."""
    try:
        check_bytes(payload)
        count = _decode(payload)
        check_user(count.user_id)
        start, end = parse_named("window_start", count.window_start), parse_named("window_end", count.window_end)
        if end <= start:
            return explain(ValueError("window_end is not after window_start"))
    except (ValueError, RecursionError) as error:
        return explain(error)
    return count
