"""The records of stream 1."""

from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

#: A Kinesis partition key holds 256 characters, and the counts are keyed by user.
UserId = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(min_length=1, max_length=1024)]
InstantText = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]

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
    price: Decimal  # in the shop's currency; text on the wire
    user_id: UserId
    user_session: Text | None = None
    txn_timestamp: InstantText  # what windows and watermarks go by
    event_id: Text


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag_field="event_type", tag=HEARTBEAT):
    """Says that a shard's event time has come this far; is no action. Schema ``heartbeat/1``."""

    txn_timestamp: InstantText
