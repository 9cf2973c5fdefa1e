"""What is reported: a user did more in one window than the rule allows."""

from typing import Annotated

import msgspec
from msgspec import Meta

from storepulse.activity.counts import CountKind, WindowCount
from storepulse.activity.events import InstantText
from storepulse.activity.users import UserId
from storepulse.identity import content_id


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A user over a rule's limit in one window. Schema ``alert/1``.

    `alert_id` depends on rule, user and window alone: a retry, a replay, and the final count after the early one all
    give the same alert.
    """

    alert_id: str
    rule: str
    user_id: UserId
    window_start: InstantText
    window_end: InstantText
    num_actions: Annotated[int, Meta(ge=1)]
    limit: int
    kind: CountKind  # of the count it was raised by

    @classmethod
    def of(cls, count: WindowCount, *, rule: str, limit: int) -> "Alert":
        """Return the alert that `count` raises under `rule`."""
        return cls(
            alert_id=content_id(rule, count.user_id, count.window_start),
            rule=rule,
            user_id=count.user_id,
            window_start=count.window_start,
            window_end=count.window_end,
            num_actions=count.num_actions,
            limit=limit,
            kind=count.kind,
        )
