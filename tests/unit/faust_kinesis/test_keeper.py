"""Workers' leases and checkpoints over a table in memory: every write is conditional there, as in DynamoDB."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.memory_aws import MemoryDynamo, MemoryKinesis, shard_id
from faust_kinesis.discovery import Discovery
from faust_kinesis.errors import LeaseLostError
from faust_kinesis.keeper import LeaseKeeper
from faust_kinesis.lease import Checkpoint, Lease
from faust_kinesis.options import Options
from faust_kinesis.table import LeaseTable

TURN_S, LEASE_S = 2.0, 10.0
STREAM = "s"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class CountingDynamo(MemoryDynamo):
    """Counts writes, and how many are under way at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = self.at_once = self._now = 0

    async def update_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's request
        self.writes += 1
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await asyncio.sleep(0)
        try:
            return await super().update_item(**request)
        finally:
            self._now -= 1


def keeper(dynamo: MemoryDynamo, clock: Clock, owner: str, *, shards: int = 3, exclusive: bool = True) -> LeaseKeeper:
    kinesis: Any = MemoryKinesis([[]] * shards)
    table = LeaseTable(dynamo, "t", owner)  # type: ignore[arg-type]  # a client in memory
    options = Options(region="r", exclusive=exclusive, lease_s=LEASE_S)
    return LeaseKeeper(table, Discovery(kinesis, table, "TRIM_HORIZON"), options, clock)


async def turns(keeper: LeaseKeeper, number: int = 1) -> dict[str, Lease]:
    for _ in range(number):
        found = await keeper.turn([STREAM])
    return found


def moved(leases: dict[str, Lease], text: str) -> dict[str, Checkpoint]:
    return {
        key: Checkpoint(offset=le.offset + 1, sequence=f"{le.offset + 1}", metadata=text, version=le.version + 1)
        for key, le in leases.items()
    }


def texts(leases: dict[str, Lease]) -> set[str]:
    return {lease.metadata for lease in leases.values()}


@given(st.lists(st.booleans(), min_size=1, max_size=6))
@settings(max_examples=30)
def test_who_takes_over_goes_on_at_the_last_commit_whichever_way_shards_were_dealt_out(modes: list[bool]) -> None:
    """`modes`: whether each of the workers, one after the other, is exclusive."""

    async def live() -> None:
        dynamo, clock, last = MemoryDynamo(), Clock(), ""
        for life, exclusive in enumerate(modes):
            worker = keeper(dynamo, clock, f"w{life}/1", exclusive=exclusive)
            found = await turns(worker)
            assert texts(found) == {last}
            assert {lease.offset for lease in found.values()} == {2 * life}
            for part in ("half", "whole"):
                last = f"{life} {part}"
                await worker.commit(moved(worker.held, last))
            await worker.release_all()

    asyncio.run(live())


async def test_a_commit_of_some_shards_keeps_the_others_checkpoints() -> None:
    dynamo, clock = MemoryDynamo(), Clock()
    first = keeper(dynamo, clock, "a/1")
    await turns(first)
    await first.commit(moved(first.held, "all"))
    key = min(first.held)
    await first.commit(moved({key: first.held[key]}, "one"))
    await first.release_all()
    found = await turns(keeper(dynamo, clock, "b/1"))
    assert {lease.key: lease.metadata for lease in found.values()} == dict.fromkeys(found, "all") | {key: "one"}


async def test_a_worker_that_another_has_replaced_commits_nothing_and_begins_anew_if_it_is_replaced_no_more() -> None:
    dynamo, clock = MemoryDynamo(), Clock()
    old, new = keeper(dynamo, clock, "a/1"), keeper(dynamo, clock, "b/1")
    await turns(old)
    await old.commit(moved(old.held, "old"))
    stale = moved(old.held, "stale")
    assert await turns(new) == {}
    clock.now_s += LEASE_S
    assert texts(await turns(new)) == {"old"}
    await new.commit(moved(new.held, "new"))
    with pytest.raises(LeaseLostError):
        await old.commit(stale)
    await new.release_all()
    assert await turns(old) == {}
    assert texts(await turns(old)) == {"new"}


async def test_one_write_renews_all_leases_of_a_worker_and_its_claims_go_out_many_at_a_time() -> None:
    dynamo, clock = CountingDynamo(), Clock()
    worker, other = (keeper(dynamo, clock, owner, shards=500) for owner in ("a/1", "b/1"))
    assert len(await turns(worker)) == 500
    assert 16 <= dynamo.at_once <= 64
    claimed, lives = dynamo.writes, 20
    for _ in range(lives):
        clock.now_s += TURN_S
        assert len(await turns(worker)) == 500
        assert await turns(other) == {}
    assert dynamo.writes - claimed == lives


async def test_shards_of_a_worker_that_renews_nothing_are_taken_after_the_lease() -> None:
    dynamo, clock = MemoryDynamo(), Clock()
    dead, other = (keeper(dynamo, clock, owner, exclusive=False) for owner in ("a/1", "b/1"))
    await turns(dead)
    await turns(other)
    for _ in range(int(LEASE_S / TURN_S)):
        clock.now_s += TURN_S
        found = await turns(other)
    assert set(found) == {f"{STREAM}/{shard_id(number)}" for number in range(3)}


async def test_of_two_exclusive_workers_that_start_together_one_reads() -> None:
    dynamo, clock = CountingDynamo(), Clock()
    workers = [keeper(dynamo, clock, owner, shards=100) for owner in ("a/1", "b/1")]
    for _ in range(5):
        found = await asyncio.gather(*(turns(worker) for worker in workers))
        clock.now_s += TURN_S
    assert sorted(map(len, found)) == [0, 100]
