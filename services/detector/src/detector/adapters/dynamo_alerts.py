"""`AlertStore` on a DynamoDB table: an item an alert, and one a rule and user for the cooldown."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection.base import Connection
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from detector.adapters.aws_errors import translated
from detector.adapters.dynamo_counts import CONDITION_FAILED
from detector.ports import KEPT, AlertStatus
from servicekit.clock import Clock
from storepulse.detection.alerts import Alert
from storepulse.instants import format_instant, from_datetime

#: Longer than a stream keeps records that are not decided yet; an alert of a later time is silenced by none of now.
COOLDOWN_KEPT: Final = timedelta(days=7)
_DAY: Final = len("2026-01-01")


class AlertItem(Model):
    """An alert (`alert#{alert_id}`, `alert`), or what a user's cooldown goes by (`cooldown#{rule}#{user}`, `admitted`).

    The latter has `starts` only, so that the indexes by user and by day hold alerts alone.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    alert_id = UnicodeAttribute(null=True)
    rule = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    window_start = UnicodeAttribute(null=True)
    window_end = UnicodeAttribute(null=True)
    num_actions = NumberAttribute(null=True)
    limit = NumberAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    day = UnicodeAttribute(null=True)  # of the window's start
    status = UnicodeAttribute(null=True)
    raised_at = UnicodeAttribute(null=True)  # processing time
    settled_at = UnicodeAttribute(null=True)
    starts = UnicodeAttribute(null=True)  # of the windows of admitted alerts, in the order of their admission
    ttl = NumberAttribute()


class _Key(NamedTuple):
    pk: str
    sk: str

    @classmethod
    def of(cls, alert: Alert) -> "_Key":
        return cls(f"alert#{alert.alert_id}", "alert")

    @classmethod
    def of_cooldown(cls, alert: Alert) -> "_Key":
        return cls(f"cooldown#{alert.rule}#{alert.user_id}", "admitted")


class DynamoAlerts:
    """Stores alerts by conditional updates, so that several detectors may share the table."""

    def __init__(self, connection: Connection, table: str, clock: Clock, *, ttl: timedelta) -> None:
        """Write to `table`; items expire `ttl` after they were first written."""
        self._connection = connection
        self._table = table
        self._clock = clock
        self._ttl = ttl

    def add(self, alert: Alert) -> AlertStatus:
        """Store or bring up to date, in one update, and a second one when the count has grown."""
        facts = {
            **msgspec.structs.asdict(alert),
            "day": alert.window_start[:_DAY],
            "status": AlertStatus.PENDING.value,
            "raised_at": self._now(),
            "ttl": self._expiry(self._ttl),
        }
        if final := alert.kind == "final":
            del facts["kind"]
        actions = [_set_once(name, value) for name, value in facts.items()]
        item = self._update(_Key.of(alert), [*actions, *([AlertItem.kind.set("final")] if final else [])])
        if item is not None and int(item["num_actions"]["N"]) < alert.num_actions:
            lower = AlertItem.num_actions < alert.num_actions
            self._update(_Key.of(alert), [AlertItem.num_actions.set(alert.num_actions)], lower)
        return AlertStatus(item["status"]["S"]) if item is not None else AlertStatus.PENDING

    def admitted(self, alert: Alert) -> tuple[str, ...]:
        """Read them, consistently."""
        key = _Key.of_cooldown(alert)
        with translated(f"reading a cooldown from {self._table}"):
            reply = self._connection.get_item(self._table, key.pk, range_key=key.sk, consistent_read=True)
        item = (reply or {}).get("Item")
        return tuple(item["starts"]["S"].split()) if item else ()

    def admit(self, alert: Alert, known: tuple[str, ...]) -> bool:
        """Compare and set the whole text of them."""
        starts = (*known, alert.window_start)[-KEPT:]
        actions = [AlertItem.starts.set(" ".join(starts)), AlertItem.ttl.set(self._expiry(COOLDOWN_KEPT))]
        unchanged = AlertItem.starts == " ".join(known) if known else AlertItem.pk.does_not_exist()
        return self._update(_Key.of_cooldown(alert), actions, unchanged) is not None

    def settle(self, alert: Alert, status: AlertStatus) -> None:
        """Set the status, once."""
        actions = [AlertItem.status.set(status.value), AlertItem.settled_at.set(self._now())]
        self._update(_Key.of(alert), actions, AlertItem.status == AlertStatus.PENDING.value)

    def _update(
        self, key: _Key, actions: Sequence[Action], condition: Condition | None = None
    ) -> dict[str, Any] | None:
        """Return the item as it is now; None when `condition` did not hold."""
        with translated(f"updating {self._table}"):
            try:
                reply = self._connection.update_item(
                    self._table, key.pk, key.sk, actions=actions, condition=condition, return_values="ALL_NEW"
                )
            except UpdateError as error:
                if error.cause_response_code != CONDITION_FAILED:
                    raise
                return None
        attributes: dict[str, Any] = reply["Attributes"]
        return attributes

    def _now(self) -> str:
        return format_instant(from_datetime(self._clock.now()))

    def _expiry(self, ttl: timedelta) -> int:
        return int((self._clock.now() + ttl).timestamp())


def _set_once(name: str, value: str | int) -> Action:
    attribute = getattr(AlertItem, name)
    action: Action = attribute.set(attribute | value)  # | is if_not_exists
    return action
