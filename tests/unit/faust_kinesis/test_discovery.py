from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from faust_kinesis.discovery import Pace, unknown_shards


def shard(number: int, *parents: int) -> dict[str, Any]:
    names = ("ParentShardId", "AdjacentParentShardId")
    return {"ShardId": shard_id(number)} | {name: shard_id(p) for name, p in zip(names, parents, strict=False)}


def shard_id(number: int) -> str:
    return f"shardId-{number:012d}"


def key(number: int) -> str:
    return f"s/{shard_id(number)}"


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A stream that was split and merged again and again."""
    shards, live = [shard(0), shard(1)], [0, 1]
    for _ in range(draw(st.integers(0, 6))):
        number = len(shards)
        if len(live) > 1 and draw(st.booleans()):
            left, right = live.pop(), live.pop()
            shards.append(shard(number, left, right))
            live.append(number)
        else:
            parent = live.pop(draw(st.integers(0, len(live) - 1)))
            shards += [shard(number, parent), shard(number + 1, parent)]
            live += [number, number + 1]
    return shards


@given(histories().flatmap(st.permutations))
def test_a_new_stream_gets_a_lease_for_every_shard_parents_first(shards: list[dict[str, Any]]) -> None:
    leases = unknown_shards("s", shards, set())
    assert sorted(lease.shard_id for lease in leases) == sorted(item["ShardId"] for item in shards)
    seen: set[str] = set()
    for lease in leases:
        assert set(lease.parents) <= seen
        seen.add(lease.key)


@given(histories(), st.data())
def test_a_registration_that_broke_off_is_completed(shards: list[dict[str, Any]], data: st.DataObject) -> None:
    every = unknown_shards("s", shards, set())
    done = data.draw(st.integers(0, len(every)))
    missing = unknown_shards("s", shards, {lease.key for lease in every[:done]})
    descendants = {lease.key for lease in every[done:]}
    assert {lease.key for lease in missing} == descendants


def test_a_finished_shard_whose_lease_is_forgotten_is_not_read_again() -> None:
    shards = [shard(0), shard(1, 0), shard(2, 0), shard(3, 1, 2)]
    assert [lease.key for lease in unknown_shards("s", shards, {key(3)})] == []
    assert [lease.key for lease in unknown_shards("s", shards, {key(1), key(2)})] == [key(3)]


def test_a_parent_that_left_the_stream_is_still_named() -> None:
    assert unknown_shards("s", [shard(5, 4)], set())[0].parents == (key(4),)


def test_shards_are_listed_at_the_pace_and_at_once_on_request() -> None:
    pace = Pace(30)
    assert pace.is_due(0)
    pace.listed(100)
    assert not pace.is_due(126)
    assert pace.is_due(134)
    pace.hurry()
    assert pace.is_due(100)
