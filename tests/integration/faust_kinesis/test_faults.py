from collections import Counter

import pytest

from tests.emulator import Emulator, wait_until
from tests.integration.faust_kinesis.conftest import StartWorker
from tests.integration.faust_kinesis.faulty_proxy import (
    FaultyProxy,
    cancel,
    cut_short,
    every_other,
    fail_every_other_record,
    lose_answer,
    refuse,
)
from tests.integration.faust_kinesis.harness import Stream

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(90)]
THROTTLED = "ProvisionedThroughputExceededException"


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


def through(proxy: FaultyProxy) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL_KINESIS": proxy.url, "AWS_ENDPOINT_URL_DYNAMODB": proxy.url}


def test_faults_of_reading_lose_nothing_and_keep_the_order(
    stream: Stream, proxy: FaultyProxy, worker: StartWorker
) -> None:
    proxy.fail("DescribeTable", refuse("InternalServerError", 500))
    proxy.fail("ListShards", refuse("LimitExceededException"))
    proxy.fail("GetShardIterator", refuse(THROTTLED), times=2)
    proxy.fail("Scan", refuse("ProvisionedThroughputExceededException"))
    stream.send(numbers(0, 1000))
    reader = worker(env=through(proxy), query="lease=2&batch=50")
    reader.wait_for(stream.put)
    proxy.fail("GetRecords", refuse(THROTTLED), times=3)
    proxy.fail("GetRecords", refuse("ExpiredIteratorException"), times=2)
    proxy.fail("GetRecords", cut_short, times=2)
    proxy.fail("GetRecords", lose_answer, times=2)
    proxy.fail("GetRecords", refuse("InternalFailure", 500))
    proxy.fail("UpdateItem", refuse("ThrottlingException"))
    proxy.fail("TransactWriteItems", refuse("TransactionInProgressException"))
    proxy.fail("TransactWriteItems", cancel("None", "ThrottlingError"))
    proxy.fail("TransactWriteItems", cancel("ProvisionedThroughputExceeded"), times=5)
    for first in range(1000, 3000, 100):
        stream.send(numbers(first, first + 100))
    reader.wait_for(stream.put)
    wait_until(lambda: proxy.spent, 20, "every fault to have happened")
    reader.assert_running()
    assert Counter(reader.payloads()) == Counter(stream.put)
    for shard in {line["shard"] for line in reader.lines()}:
        read = [int(payload) for line in reader.lines() if line["shard"] == shard for payload in line["payloads"]]
        assert read == sorted(read)


def test_an_empty_shard_that_is_throttled_again_and_again_becomes_idle(
    stream: Stream, proxy: FaultyProxy, worker: StartWorker
) -> None:
    proxy.fail("GetRecords", every_other(refuse(THROTTLED)), times=1_000_000)
    reader = worker(env=through(proxy), query="lease=2&idle=3")
    wait_until(lambda: len(reader.state().get("idle", [])) == 2, 30, "both shards to be idle")
    stream.send(numbers(0, 100))
    busy: set[str] = set()

    def each_was_busy() -> bool:
        state = reader.state()
        busy.update(set(state["shards"]) - set(state["idle"]))
        return len(busy) == 2

    wait_until(each_was_busy, 30, "each shard with records to be busy, one after the other when one is throttled more")
    reader.wait_for(stream.put)


def test_faults_of_sending_lose_nothing_and_resend_only_what_failed(
    stream: Stream, sink: Stream, proxy: FaultyProxy, worker: StartWorker
) -> None:
    proxy.fail("PutRecords", fail_every_other_record, times=3)
    proxy.fail("PutRecords", refuse(THROTTLED), times=2)
    stream.send(numbers(0, 1000))
    worker(env=through(proxy), query="lease=2&batch=100", sink=sink.name)
    wait_until(lambda: len(sink.contents()) >= 1000, 30, "everything to be sent on")
    assert Counter(sink.contents()) == Counter(stream.put)
    proxy.fail("PutRecords", lose_answer)
    stream.send(numbers(1000, 1500))
    wait_until(lambda: set(sink.contents()) >= set(stream.put), 30, "everything to be sent on")
    assert proxy.spent


def test_aws_is_asked_at_a_modest_rate_and_refused_connections_are_waited_out(
    stream: Stream, proxy: FaultyProxy, worker: StartWorker
) -> None:
    stream.send(numbers(0, 500))
    reader = worker(env=through(proxy))
    reader.wait_for(stream.put)
    claims = 3  # of two shards, and a look for what an exclusive worker left
    wait_until(lambda: proxy.calls["UpdateItem"] >= claims + 10, 20, "ten renewals")
    assert proxy.calls["ListShards"] == 1
    assert abs(proxy.calls["Scan"] - (proxy.calls["UpdateItem"] - claims)) <= 2
    proxy.stop()
    stream.send(numbers(500, 1000))
    wait_until(lambda: reader.state()["millis_behind"] > 4000, 20, "the worker to notice")
    reader.assert_running()
    proxy.start()
    reader.wait_for(stream.put)
    assert Counter(reader.payloads()) == Counter(stream.put)


def test_a_frozen_aws_is_waited_out_and_nobody_loses_a_lease(
    emulator: Emulator, stream: Stream, worker: StartWorker
) -> None:
    stream.send(numbers(0, 500))
    reader = worker()
    reader.wait_for(stream.put)
    emulator.pause()
    try:
        wait_until(lambda: not reader.state()["ready"], 20, "the worker to turn unready")
        wait_until(lambda: reader.state()["millis_behind"] > 4000, 20, "the worker to be behind")
    finally:
        emulator.resume()
    stream.send(numbers(500, 1000))
    reader.wait_for(stream.put)
    wait_until(lambda: reader.state()["ready"], 20, "the worker to be ready again")
    assert Counter(reader.payloads()) == Counter(stream.put)
    assert reader.state()["generation"] == 1


def test_an_application_that_does_not_keep_up_stops_the_reading(
    stream: Stream, proxy: FaultyProxy, worker: StartWorker
) -> None:
    reader = worker(env=through(proxy), query="lease=2&prefetch=1&batch=1", slow=1000)
    wait_until(lambda: reader.state().get("ready"), 20, "the worker to be ready")
    rounds = 12
    for number in range(rounds):
        before = proxy.calls["GetRecords"]
        stream.send([f"{number}-{half}-" + "x" * 500_000 for half in range(2)])
        if number < 2:
            wait_until(lambda b=before: proxy.calls["GetRecords"] > b + 4, 10, "polls to go on")  # type: ignore[misc]
    settled = proxy.calls["GetRecords"]
    wait_until(lambda: proxy.calls["UpdateItem"] > 20 or proxy.calls["Scan"] > 8, 20, "some renewals")
    assert proxy.calls["GetRecords"] - settled <= rounds
