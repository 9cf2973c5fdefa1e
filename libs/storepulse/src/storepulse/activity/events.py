"""The records of stream 1."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from storepulse.activity.prices import Price
from storepulse.activity.users import UserId

Text = Annotated[str, Meta(min_length=1, max_length=1024)]
InstantText = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
MAX_REPLAY_SHIFT: Final = 2**53  # exact in every reader of JSON
ReplayShift = Annotated[
    int,
    Meta(
        ge=-MAX_REPLAY_SHIFT,
        le=MAX_REPLAY_SHIFT,
        description=(
            "Milliseconds that a replay's event clock added to the source's time; the same for all records of one "
            "replay, and absent where nothing was added. A positive one allows txn_timestamp to be as much further "
            "after the record's arrival."
        ),
    ),
]

HEARTBEAT: Final = "heartbeat"
EventType = Literal["view", "cart", "remove_from_cart", "purchase"]


class Activity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One action of one user, as the REES46 data sets have it. Schema ``activity/1``.

    Ids are text: ``category_id`` exceeds 2**53 and would break as a double.
    """

    event_time: Text  # of the source, such as "2019-10-01 00:00:00 UTC"
    event_type: EventType
    product_id: Text
    category_id: Text | None = None
    category_code: Text | None = None
    brand: Text | None = None
    price: Price
    user_id: UserId
    user_session: Text | None = None
    txn_timestamp: InstantText  # what windows and watermarks go by
    event_id: Text
    replay_shift_ms: ReplayShift | None = None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event_type", tag=HEARTBEAT):
    """Says that a shard's event time has come this far; is no action. Schema ``heartbeat/1``."""

    txn_timestamp: InstantText
    replay_shift_ms: ReplayShift | None = None
