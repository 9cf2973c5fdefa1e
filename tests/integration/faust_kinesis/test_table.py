from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from faust_kinesis.client import create_client
from faust_kinesis.errors import LeaseLostError
from faust_kinesis.lease import Checkpoint, Lease, Status, lease_key
from faust_kinesis.table import LeaseTable
from tests.emulator import REGION, Emulator

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(90)]
MANY = 130  # more than one transaction


def lease(number: int) -> Lease:
    shard_id = f"shardId-{number:012d}"
    return Lease(key=lease_key("s", shard_id), stream="s", shard_id=shard_id, parents=("s/p",), start="5")


def point(text: str) -> Checkpoint:
    return Checkpoint(offset=7, sequence="70", metadata=text)


@pytest.fixture
async def tables(aws: Emulator, app_id: str) -> AsyncIterator[tuple[LeaseTable, LeaseTable]]:
    """The same table, as two workers see it."""
    assert aws.url
    async with create_client("dynamodb", REGION) as dynamodb:
        mine, theirs = LeaseTable(dynamodb, app_id, "me/1"), LeaseTable(dynamodb, app_id, "they/1")
        await mine.ensure()
        await theirs.ensure()
        yield mine, theirs


async def test_a_lease_is_stored_with_all_it_says(tables: tuple[LeaseTable, LeaseTable]) -> None:
    mine, theirs = tables
    await mine.add(lease(0))
    await theirs.add(replace(lease(0), start="6"))
    assert await mine.all() == {lease(0).key: lease(0)}


async def test_only_one_of_two_workers_that_saw_the_same_lease_gets_it(tables: tuple[LeaseTable, LeaseTable]) -> None:
    mine, theirs = tables
    await mine.add(lease(0))
    claimed = await mine.claim(lease(0))
    assert claimed == replace(lease(0), owner="me/1", counter=1)
    assert await theirs.claim(lease(0)) is None


async def test_a_worker_that_lost_a_lease_moves_nothing(tables: tuple[LeaseTable, LeaseTable]) -> None:
    mine, theirs = tables
    await mine.add(lease(0))
    claimed = await mine.claim(lease(0))
    assert claimed is not None
    taken = await theirs.claim(claimed)
    assert taken is not None
    with pytest.raises(LeaseLostError, match=claimed.key):
        await mine.commit({claimed.key: point("stale")})
    assert await mine.set_status(claimed, Status.DONE) is None
    assert await mine.claim(claimed) is None
    await mine.release(claimed)
    await mine.forget(claimed)
    assert await mine.all() == {taken.key: taken}


async def test_a_claim_returns_what_the_last_owner_committed_meanwhile(tables: tuple[LeaseTable, LeaseTable]) -> None:
    mine, theirs = tables
    await mine.add(lease(0))
    seen = await mine.claim(lease(0))
    assert seen is not None
    await mine.commit({seen.key: point("late")})
    taken = await theirs.claim(seen)
    assert taken is not None
    assert (taken.offset, taken.sequence, taken.metadata) == (7, "70", "late")


async def test_more_shards_than_a_transaction_takes_are_committed(tables: tuple[LeaseTable, LeaseTable]) -> None:
    mine, _ = tables
    for number in range(MANY):
        await mine.add(lease(number))
        await mine.claim(lease(number))
    await mine.commit({lease(number).key: point(str(number)) for number in range(MANY)})
    stored = await mine.all()
    assert {le.metadata for le in stored.values()} == {str(number) for number in range(MANY)}


async def test_the_first_start_of_a_stream_is_everyones(tables: tuple[LeaseTable, LeaseTable]) -> None:
    mine, theirs = tables
    assert await mine.agree_on_start("s", "1700") == "1700"
    assert await theirs.agree_on_start("s", "1800") == "1700"
    assert await mine.all() == {}
