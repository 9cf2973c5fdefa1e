from collections import Counter, defaultdict

import pytest

from tests.emulator import Emulator, wait_until
from tests.integration.faust_kinesis.harness import Worker, leases, wait_for_all
from tests.reshard.conftest import StartWorker
from tests.reshard.kinesalite_server import ReshardedStream

pytestmark = [pytest.mark.reshard, pytest.mark.emulator, pytest.mark.timeout(150)]


def assert_each_key_is_in_order(reader: Worker) -> None:
    """In each generation: what is read again after a rebalance comes again in order."""
    seen: dict[tuple[int, str], list[int]] = defaultdict(list)
    for line in reader.lines():
        for payload in line["payloads"]:
            key, _, number = payload.partition(":")
            seen[line["generation"], key].append(int(number))
    assert all(numbers == sorted(numbers) for numbers in seen.values())


def test_a_split_and_a_merge_under_load_lose_nothing_and_keep_each_keys_order(
    emulator: Emulator, stream: ReshardedStream, app_id: str, worker: StartWorker
) -> None:
    stream.feed(10)
    reader = worker()
    reader.wait_for(stream.put)
    for reshard in (stream.split, stream.merge, stream.split):
        stream.feed(5)
        reshard()
        stream.feed(5)
    reader.wait_for(stream.put, within_s=60)
    assert set(reader.payloads()) == set(stream.put)
    assert_each_key_is_in_order(reader)
    stream.feed(5)
    reader.wait_for(stream.put)
    still_open = {shard["ShardId"] for shard in stream.open_shards()}
    wait_until(lambda: set(leases(emulator, app_id)) == still_open, 30, "leases of finished shards to be forgotten")
    before = Counter(reader.payloads())
    reader.stop()
    stream.feed(5)
    again = worker("again")
    wait_for_all([reader, again], stream.put)
    assert not Counter(again.payloads()) & before


def test_two_workers_hand_children_over_only_when_the_parents_are_committed(
    emulator: Emulator, stream: ReshardedStream, app_id: str, worker: StartWorker
) -> None:
    one, two = worker("one"), worker("two")
    wait_until(lambda: len(one.shards()) == len(two.shards()) == 1, 30, "a shard each")
    for reshard in (stream.split, stream.split, stream.merge):
        stream.feed(5)
        reshard()
    stream.feed(5)
    wait_for_all([one, two], stream.put, within_s=60)
    for reader in (one, two):
        assert_each_key_is_in_order(reader)
    still_open = {shard["ShardId"] for shard in stream.open_shards()}
    assert len(still_open) == 3
    wait_until(lambda: shares(emulator, app_id, still_open) == [1, 2], 60, "fair shares of what is still open")


def shares(emulator: Emulator, app_id: str, shards: set[str]) -> list[int]:
    """Return how many of the `shards` each worker has, when the leases are those of these shards; else nothing."""
    held = leases(emulator, app_id)
    return sorted(Counter(row.get("owner") for row in held.values()).values()) if set(held) == shards else []


def test_kill_9_after_a_split_with_nothing_acknowledged_reads_parents_then_children_again(
    stream: ReshardedStream, worker: StartWorker
) -> None:
    stream.feed(10)
    reader = worker("held", hold=True)
    reader.wait_for(stream.put)
    stream.split()
    stream.feed(10)
    reader.wait_for(stream.put, within_s=60)
    assert_each_key_is_in_order(reader)
    reader.kill()
    again = worker("again")
    again.wait_for(stream.put, within_s=60)
    assert set(again.payloads()) == set(stream.put)
    assert_each_key_is_in_order(again)
