"""The first lease rows."""

import pytest

from detector.adapters.dynamo_leases import seed_leases
from servicekit.errors import RetryableError
from tests.emulator import Emulator
from tests.integration.detector.account import Account

pytestmark = pytest.mark.emulator


def seed(account: Account, position: str = "TRIM_HORIZON") -> list[str]:
    """Seed the account's leases."""
    return seed_leases(
        account.emulator.client("kinesis"),
        account.emulator.client("dynamodb"),
        stream=account.stream,
        table=account.application,
        position=position,
    )


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "LATEST"])
def test_every_shard_has_a_lease_at_the_position_and_a_second_call_changes_nothing(
    emulator: Emulator, position: str
) -> None:
    account = Account(emulator)
    shards = seed(account, position)
    assert len(shards) == 2
    assert account.checkpoints() == dict.fromkeys(shards, position)
    assert seed(account, "TRIM_HORIZON") == []
    assert account.checkpoints() == dict.fromkeys(shards, position)


def test_a_table_with_any_lease_is_left_to_the_kcl(emulator: Emulator) -> None:
    account = Account(emulator)
    first, second = sorted(seed(account))
    dynamodb = emulator.client("dynamodb")
    dynamodb.delete_item(TableName=account.application, Key={"leaseKey": {"S": second}})
    dynamodb.update_item(
        TableName=account.application,
        Key={"leaseKey": {"S": first}},
        UpdateExpression="SET checkpoint = :c",
        ExpressionAttributeValues={":c": {"S": "4957"}},
    )
    assert seed(account) == []
    assert account.checkpoints() == {first: "4957"}


def test_a_missing_stream_is_something_to_wait_for(emulator: Emulator) -> None:
    account = Account(emulator)
    account.stream = "nowhere"
    with pytest.raises(RetryableError, match="nowhere"):
        seed(account)
