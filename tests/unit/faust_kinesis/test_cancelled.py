"""What a cancelled transaction means, by the reasons that DynamoDB gives for each of its items."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from faust_kinesis.errors import LeaseLostError, is_transient
from faust_kinesis.lease import Checkpoint
from faust_kinesis.table import LeaseTable

POINT = Checkpoint(offset=1, sequence="1", metadata="")


class CancellingDynamo:
    """Cancels every transaction, for the given reasons."""

    exceptions = SimpleNamespace(TransactionCanceledException=ClientError)

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons

    async def transact_write_items(self, **_: object) -> None:
        told: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": reason} for reason in self.reasons],
        }
        raise ClientError(told, "TransactWriteItems")


async def why(*reasons: str) -> Exception:
    """Return what a commit of an item for each reason raises."""
    table: Any = LeaseTable(CancellingDynamo(*reasons), "t", "me/1")  # type: ignore[arg-type]  # a client in memory
    with pytest.raises((ClientError, LeaseLostError)) as caught:
        await table.commit({f"s/{number}": POINT for number in range(len(reasons))})
    return caught.value


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"])
async def test_one_throttled_item_makes_the_commit_worth_a_retry(reason: str) -> None:
    assert is_transient(await why("None", reason, "None"))


async def test_a_lost_lease_among_throttled_items_is_a_lost_lease() -> None:
    error = await why("ThrottlingError", "ConditionalCheckFailed", "ProvisionedThroughputExceeded")
    assert isinstance(error, LeaseLostError)
    assert str(error) == "s/1"


async def test_what_no_retry_mends_is_not_hidden_by_a_throttled_item() -> None:
    assert not is_transient(await why("ThrottlingError", "ValidationError"))


async def test_a_cancellation_without_a_reason_is_looked_into_as_a_lost_lease() -> None:
    assert isinstance(await why("None", "None"), LeaseLostError)
