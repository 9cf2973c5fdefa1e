"""What every `CountStore` keeps."""

from datetime import timedelta

import pytest

from detector.adapters.aws_clients import AwsClients
from detector.adapters.dynamo_counts import DynamoCounts, UserActions
from servicekit.clock import ManualClock
from servicekit.errors import PoisonRecordError, RetryableError
from tests.contract.detector.conftest import Ports
from tests.emulator import Emulator, free_port
from tests.integration.detector.account import Account
from tests.unit.detector.builders import count


def test_final_counts_are_there_after_the_call_and_replace_what_was_there(ports: Ports) -> None:
    many = [count(f"user{n}", n + 1) for n in range(ports.counts.max_batch)]
    ports.counts.put_finals(many)
    ports.counts.put_finals([count("user1", 99)])
    expected = {(each.user_id, each.window_end): (each.num_actions, "final") for each in many}
    assert ports.counted() == expected | {("user1", count().window_end): (99, "final")}


def test_an_early_count_is_stored_and_replaced_by_an_early_and_by_the_final_one(ports: Ports) -> None:
    for stored in (count(actions=11, kind="early"), count(actions=12, kind="early"), count(actions=30)):
        ports.counts.put_early(stored) if stored.kind == "early" else ports.counts.put_finals([stored])
        assert ports.counted() == {("anna", stored.window_end): (stored.num_actions, stored.kind)}


def test_an_early_count_never_replaces_a_final_one(ports: Ports) -> None:
    ports.counts.put_finals([count(actions=30)])
    ports.counts.put_early(count(actions=11, kind="early"))
    assert ports.counted() == {("anna", count().window_end): (30, "final")}


def test_windows_of_a_user_and_users_of_a_window_are_kept_apart(ports: Ports) -> None:
    ports.counts.put_finals([count("a", 1), count("b", 2), count("a", 3, window=1)])
    assert sorted(actions for actions, _ in ports.counted().values()) == [1, 2, 3]


@pytest.mark.parametrize("user", ["#appserver#1", "ü€😀", "a\x00b", "x" * 256, "😀" * 256])
def test_any_user_id_is_kept(ports: Ports, user: str) -> None:
    ports.counts.put_finals([count(user)])
    assert ports.counted() == {(user, count().window_end): (3, "final")}


@pytest.mark.emulator
def test_an_item_has_the_key_and_the_attributes_that_readers_go_by(aws: Emulator) -> None:
    account, clock = Account(aws, shards=1), ManualClock()
    connection = AwsClients(region="us-east-1", endpoint=aws.url).pynamodb(account.counts_table)
    DynamoCounts(connection, account.counts_table, clock, app_server="7", ttl=timedelta(days=1)).put_finals([count()])
    [raw] = aws.client("dynamodb").scan(TableName=account.counts_table)["Items"]
    item = UserActions.from_raw_data(raw)
    assert (item.pk, item.sk) == ("userid#anna#appserver#7", count().window_end)
    assert (item.num_actions, item.window_start, item.kind) == (3, count().window_start, "final")
    assert item.processed_at == "2019-10-01T00:00:00.000Z"
    assert item.ttl == int((clock.now() + timedelta(days=1)).timestamp())
    assert set(raw) == set(UserActions.get_attributes())


@pytest.mark.emulator
def test_what_a_network_breaks_can_be_tried_again_and_what_dynamodb_refuses_cannot(aws: Emulator) -> None:
    nowhere = AwsClients(region="us-east-1", endpoint=f"http://127.0.0.1:{free_port()}").pynamodb("counts")
    with pytest.raises(RetryableError):
        DynamoCounts(nowhere, "counts", ManualClock(), app_server="1", ttl=timedelta(1)).put_early(count())
    account = Account(aws, shards=1)
    connection = AwsClients(region="us-east-1", endpoint=aws.url).pynamodb(account.counts_table)
    store = DynamoCounts(connection, account.counts_table, ManualClock(), app_server="1", ttl=timedelta(1))
    with pytest.raises(PoisonRecordError):
        store.put_finals([count(), count()])  # the same key twice in one request
