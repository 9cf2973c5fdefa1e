"""`CountStore` on a DynamoDB table: one item a user, server and window."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection.base import Connection
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from detector.adapters.aws_errors import translated
from detector.workers import Patience
from servicekit.clock import Clock
from servicekit.errors import RetryableError
from storepulse.activity.counts import WindowCount
from storepulse.instants import format_instant, from_datetime

MAX_BATCH: Final = 25  # of BatchWriteItem
CONDITION_FAILED: Final = "ConditionalCheckFailedException"


class UserActions(Model):
    """An item of the table; written through the connection (a batch of models costs four times its CPU)."""

    pk = UnicodeAttribute(hash_key=True)  # userid#{user}#appserver#{server}
    sk = UnicodeAttribute(range_key=True)  # the window's end
    num_actions = NumberAttribute()
    window_start = UnicodeAttribute()
    kind = UnicodeAttribute()
    processed_at = UnicodeAttribute()
    ttl = NumberAttribute()  # seconds since the epoch


def partition_key(user_id: str, app_server: str) -> str:
    """Return the partition key of a user's counts."""
    return f"userid#{user_id}#appserver#{app_server}"


class DynamoCounts:
    """Stores counts with BatchWriteItem; what DynamoDB leaves over is given again, and only that."""

    max_batch = MAX_BATCH

    def __init__(
        self,
        connection: Connection,
        table: str,
        clock: Clock,
        *,
        app_server: str,
        ttl: timedelta,
        patience: Patience | None = None,
    ) -> None:
        """Write to `table` with keys of `app_server`; items expire `ttl` after they were written."""
        self._connection = connection
        self._table = table
        self._clock = clock
        self._app_server = app_server
        self._ttl = ttl
        self._patience = patience or Patience()

    def put_finals(self, counts: Sequence[WindowCount]) -> None:
        """Store up to 25 counts of different keys."""
        stamps = self._stamps()
        left = [self._item(count) | stamps for count in counts]
        self._patience.keep_trying(lambda: self._write(left))

    def _write(self, left: list[dict[str, Any]]) -> None:
        """Write the items `left`; those that DynamoDB did not take stay in the list."""
        with translated(f"writing {len(left)} counts to {self._table}"):
            reply = self._connection.batch_write_item(self._table, put_items=left)
        left[:] = [request["PutRequest"]["Item"] for request in reply.get("UnprocessedItems", {}).get(self._table, [])]
        if left:
            msg = f"{self._table} did not take {len(left)} counts"
            raise RetryableError(msg)

    def put_early(self, count: WindowCount) -> None:
        """Store one count, unless the final one is there."""
        item = self._item(count) | self._stamps()
        key = {name: item.pop(name)["S"] for name in ("pk", "sk")}
        with translated(f"writing an early count to {self._table}"):
            try:
                self._connection.put_item(
                    self._table,
                    key["pk"],
                    range_key=key["sk"],
                    attributes=item,
                    condition=UserActions.pk.does_not_exist() | (UserActions.kind == "early"),
                )
            except PutError as error:
                if error.cause_response_code != CONDITION_FAILED:
                    raise

    def _item(self, count: WindowCount) -> dict[str, Any]:
        return {
            "pk": {"S": partition_key(count.user_id, self._app_server)},
            "sk": {"S": count.window_end},
            "num_actions": {"N": str(count.num_actions)},
            "window_start": {"S": count.window_start},
            "kind": {"S": count.kind},
        }

    def _stamps(self) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "processed_at": {"S": format_instant(from_datetime(now))},
            "ttl": {"N": str(int((now + self._ttl).timestamp()))},
        }
