from collections import Counter

import pytest

from faust_kinesis import snapshot
from tests.emulator import Emulator, wait_until
from tests.integration.faust_kinesis.conftest import StartWorker
from tests.integration.faust_kinesis.harness import Stream, Worker, leases, wait_for_all

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(90)]


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


def test_every_record_is_read_once_in_its_shards_order_and_not_again_after_a_clean_restart(
    emulator: Emulator, stream: Stream, app_id: str, worker: StartWorker
) -> None:
    stream.send(numbers(0, 3000))
    stream.send_aggregate(numbers(3000, 3020))
    reader = worker(query="lease=1&batch=100")
    reader.wait_for(stream.put)
    assert Counter(reader.payloads()) == Counter(stream.put)
    assert max(len(line["payloads"]) for line in reader.lines()) == 100
    for shard in {line["shard"] for line in reader.lines()}:
        lines = [line for line in reader.lines() if line["shard"] == shard]
        read = [int(payload) for line in lines for payload in line["payloads"]]
        assert read == sorted(read)
        assert [line["offset"] for line in lines] == list(range(len(lines)))
    assert reader.stop() == 0
    last = {line["shard"]: line["last"] for line in reader.lines()}
    assert {shard: row["sequence"] for shard, row in leases(emulator, app_id).items()} == last
    assert {row["owner"] for row in leases(emulator, app_id).values()} == {""}
    stream.send(numbers(3020, 4000))
    again = worker("again")
    again.wait_for(numbers(3020, 4000))
    assert Counter(again.payloads()) == Counter(numbers(3020, 4000))


def test_kill_9_loses_nothing(stream: Stream, worker: StartWorker) -> None:
    reader = worker(query="lease=1&worker=one&batch=50", slow=0.02)
    for kill in range(2):
        stream.send(numbers(kill * 1000, kill * 1000 + 1000))
        wait_until(lambda k=kill: len(reader.payloads()) > k * 1000 + 300, 20, "some to be read")  # type: ignore[misc]
        reader.kill()
        reader.start()
    reader.wait_for(stream.put)
    assert set(reader.payloads()) == set(stream.put)


def test_two_workers_share_the_shards_and_the_other_takes_over(stream: Stream, worker: StartWorker) -> None:
    one = worker("one")
    wait_until(lambda: len(one.shards()) == 2, 20, "the first worker to have both shards")
    two = worker("two")
    wait_until(lambda: len(one.shards()) == len(two.shards()) == 1, 20, "a shard each")
    stream.send(numbers(0, 1000))
    wait_for_all([one, two], stream.put)
    assert one.payloads()
    assert two.payloads()
    one.kill()
    stream.send(numbers(1000, 2000))
    wait_for_all([one, two], stream.put)
    wait_until(lambda: len(two.shards()) == 2, 20, "the second worker to have both shards")


def test_a_worker_frozen_past_its_lease_gives_way_and_joins_again(stream: Stream, worker: StartWorker) -> None:
    stream.send(numbers(0, 100))
    one = worker("one")
    one.wait_for(stream.put)
    one.freeze()
    two = worker("two")
    wait_until(lambda: len(two.shards()) == 2, 20, "the second worker to have both shards")
    stream.send(numbers(100, 200))
    two.wait_for(numbers(100, 200))
    one.thaw()
    wait_until(lambda: len(one.shards()) == len(two.shards()) == 1, 20, "a shard each")
    one.assert_running()
    stream.send(numbers(200, 300))
    wait_for_all([one, two], stream.put)
    assert "lost or given up" in one.log.read_text()


def test_a_second_process_of_a_worker_takes_over_at_once_and_the_first_moves_nothing_more(
    emulator: Emulator, stream: Stream, app_id: str, worker: StartWorker
) -> None:
    query = "lease=60&worker=one&exclusive=1"  # a lease that does not end within the test
    first = worker("first", query=query, hold=True)
    stream.send(numbers(0, 100))
    first.wait_for(stream.put)
    first.freeze()
    second = worker("second", query=query)
    second.wait_for(stream.put)
    wait_until(lambda: _sequences(emulator, app_id) == _last(second), 20, "the second's commit")
    owners = {row["owner"] for row in leases(emulator, app_id).values()}
    first.thaw()
    wait_until(lambda: first.state().get("standing_by"), 20, "the first to find that it is a former one")
    stream.send(numbers(100, 200))
    second.wait_for(numbers(100, 200))
    wait_until(lambda: _sequences(emulator, app_id) == _last(second), 20, "the second's commit")
    assert {row["owner"] for row in leases(emulator, app_id).values()} == owners
    assert (len(first.shards()), len(second.shards())) == (0, 2)
    assert not set(first.payloads()) & set(numbers(100, 200))
    first.assert_running()


def _sequences(emulator: Emulator, app_id: str) -> dict[str, str]:
    item = emulator.client("dynamodb").get_item(TableName=app_id, Key={"key": {"S": snapshot.KEY}})["Item"]
    return {key.rpartition("/")[2]: point.sequence for key, point in snapshot.from_item(item).items()}


def _last(reader: Worker) -> dict[str, str]:
    return {line["shard"]: line["last"] for line in reader.lines()}


def test_one_exclusive_worker_reads_while_the_other_stands_by_until_it_dies(
    stream: Stream, worker: StartWorker
) -> None:
    query = "lease=1&exclusive=1"
    workers = {name: worker(name, query=query) for name in ("one", "two")}
    wait_until(lambda: sorted(len(w.shards()) for w in workers.values()) == [0, 2], 20, "one worker with both shards")
    active = next(w for w in workers.values() if w.shards())
    other = next(w for w in workers.values() if w is not active)
    wait_until(lambda: other.state().get("standing_by"), 20, "the other to stand by")
    stream.send(numbers(0, 500))
    active.wait_for(stream.put)
    assert other.payloads() == []
    active.kill()
    stream.send(numbers(500, 1000))
    other.wait_for(numbers(500, 1000))
    wait_until(lambda: len(other.shards()) == 2, 20, "the other worker to have both shards")


def test_metadata_is_committed_before_any_batch_is_acknowledged_and_given_back(
    emulator: Emulator, stream: Stream, app_id: str, worker: StartWorker
) -> None:
    stream.send(numbers(0, 200))
    reader = worker("one", hold=True)
    reader.wait_for(stream.put)
    last = {line["shard"]: line["last"] for line in reader.lines()}

    def stored() -> dict[str, str]:
        return {shard: row["metadata"] for shard, row in leases(emulator, app_id).items()}

    wait_until(lambda: stored() == last, 10, "the metadata to be committed")
    assert {row["offset"] for row in leases(emulator, app_id).values()} == {"0"}
    assert {row["sequence"] for row in leases(emulator, app_id).values()} == {""}
    reader.kill()
    again = worker("two", hold=True)
    again.wait_for(stream.put)
    given = {line["shard"]: line["metadata"] for line in reversed(again.lines())}
    assert given == last


def test_a_paused_shard_misses_nothing(stream: Stream, worker: StartWorker) -> None:
    stream.send(numbers(0, 3000))
    reader = worker(query="lease=1&batch=10", pause_s=0.2)
    reader.wait_for(stream.put)
    assert Counter(reader.payloads()) == Counter(stream.put)


def test_a_missing_stream_crashes_the_worker(worker: StartWorker) -> None:
    reader = worker(stream="no-such-stream")
    assert reader.process is not None
    assert reader.process.wait(20) != 0
    assert "ResourceNotFoundException" in reader.log.read_text()
