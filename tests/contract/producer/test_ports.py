"""What every adapter of a port promises."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from producer.errors import SourceError
from producer.ports import Entry, Sources, StampStore, StateStore, Stream
from producer.stamps import ActiveReplay, Stamps
from producer.state import ReplayState
from tests.contract.producer.conftest import FILES

PAST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
STATE = ReplayState(
    replay_id="r-1",
    fingerprint="f",
    options="{}",
    confirmed=7,
    shift=-20_000,
    last_stamp=5,
    positions={"shardId-000000000000": "49"},
    since="2026-01-01T00:00:00.000Z",
    saved_at="2026-01-01T00:00:00.000Z",
)


def entries(count: int, start: int = 0) -> list[Entry]:
    return [Entry(b'{"n":%d}' % n, f"key-{n}", None, f"{n:032x}", n) for n in range(start, start + count)]


async def tail(stream: Stream, after: dict[str, str], since: datetime = PAST, until: datetime = FUTURE) -> set[bytes]:
    return {payload async for payload in stream.tail(after, since, until)}


async def test_open_shards_cover_all_hash_keys_in_order(stream: Stream) -> None:
    shards = await stream.shards()
    assert shards[0].start == 0
    assert shards[-1].end == 2**128 - 1
    assert all(left.end + 1 == right.start for left, right in pairwise(shards))


async def test_a_put_answers_for_each_record_in_order_with_rising_sequence_numbers(stream: Stream) -> None:
    puts = await stream.put(entries(500))
    assert len(puts) == 500
    assert not any(put.error for put in puts)
    for shard in await stream.shards():
        numbers = [int(put.sequence_number) for put in puts if put.shard_id == shard.shard_id]
        assert numbers
        assert numbers == sorted(set(numbers))


async def test_a_hash_key_decides_the_shard_in_place_of_the_partition_key(stream: Stream) -> None:
    shards = await stream.shards()
    puts = await stream.put([Entry(b"{}", "same", str(shard.start)) for shard in shards])
    assert [put.shard_id for put in puts] == [shard.shard_id for shard in shards]


async def test_the_tail_begins_after_a_position_and_holds_all_that_came_since(stream: Stream) -> None:
    before = await stream.put(entries(50))
    positions = {put.shard_id: put.sequence_number for put in before}
    await stream.put(entries(50, start=50))
    assert await tail(stream, positions) == {entry.payload for entry in entries(50, start=50)}


async def test_the_tail_of_a_shard_without_a_position_begins_at_a_time(stream: Stream) -> None:
    await stream.put(entries(50))
    assert await tail(stream, {}) == {entry.payload for entry in entries(50)}
    assert await tail(stream, {}, since=datetime.now(UTC) + timedelta(hours=1)) == set()


async def test_the_tail_ends_at_a_time(stream: Stream) -> None:
    await stream.put(entries(50))
    assert await tail(stream, {}, until=PAST) == set()


async def test_a_state_comes_back_as_it_was_saved_last(states: StateStore) -> None:
    assert await states.load("r-1") is None
    await states.save(STATE)
    later = msgspec.structs.replace(STATE, confirmed=8, done=True)
    await states.save(later)
    assert await states.load("r-1") == later
    assert await states.load("r-2") is None


async def test_what_was_stamped_comes_back_and_is_changed_only_by_who_knows_the_last_version(
    stamps: StampStore,
) -> None:
    nothing, version = await stamps.load()
    assert (nothing, version) == (Stamps(), "")
    first = Stamps(highest=5, active={"r-1": ActiveReplay(clock="event", reached=7, seen_at=9)})
    assert await stamps.save(first, version)
    assert not await stamps.save(Stamps(highest=1), version)
    kept, version = await stamps.load()
    assert kept == first
    assert await stamps.save(Stamps(highest=8), version)
    assert not await stamps.save(first, version)
    assert (await stamps.load())[0] == Stamps(highest=8)


async def test_a_prefix_is_every_file_under_it_in_order(found: tuple[Sources, str]) -> None:
    sources, root = found
    files = await sources.find(f"{root}in/")
    assert [file.url.removeprefix(root) for file in files] == ["in/a.csv", "in/b.csv", "in/sub/c.csv"]
    assert [file.size for file in files] == [len(FILES[file.url.removeprefix(root)]) for file in files]


async def test_a_file_is_read_whole_in_bounded_pieces(found: tuple[Sources, str]) -> None:
    sources, root = found
    (file,) = await sources.find(f"{root}in/b.csv")
    pieces = [piece async for piece in sources.read(file)]
    assert b"".join(pieces) == FILES["in/b.csv"]
    assert max(map(len, pieces)) <= 256 * 1024


async def test_what_is_not_there_says_so(found: tuple[Sources, str]) -> None:
    sources, root = found
    for name in ("missing.csv", "missing/"):
        with pytest.raises(SourceError, match="missing"):
            await sources.find(root + name)


async def test_a_small_file_is_loaded_and_a_larger_one_refused(found: tuple[Sources, str]) -> None:
    sources, root = found
    assert await sources.load(f"{root}in/a.csv", 5) == b"first"
    with pytest.raises(SourceError, match="at most"):
        await sources.load(f"{root}in/a.csv", 4)


async def test_a_small_file_that_was_stored_can_be_loaded(found: tuple[Sources, str]) -> None:
    sources, root = found
    await sources.store(f"{root}new.json", b"[]")
    assert await sources.load(f"{root}new.json", 5) == b"[]"
