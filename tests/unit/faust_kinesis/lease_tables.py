"""Lease tables, made by hand."""

from hypothesis import strategies as st

from faust_kinesis.lease import Lease, Status

owners = st.sampled_from(["", "a/1", "b/1", "c/1"])


def lease(number: int, *parents: int, owner: str = "", status: Status = Status.OPEN, sequence: str = "") -> Lease:
    shard_id = f"shardId-{number:012d}"
    keys = tuple(f"s/shardId-{parent:012d}" for parent in parents)
    return Lease(
        key=f"s/{shard_id}", stream="s", shard_id=shard_id, parents=keys, owner=owner, status=status, sequence=sequence
    )


def table(*leases: Lease) -> dict[str, Lease]:
    return {item.key: item for item in leases}


def key(number: int) -> str:
    return lease(number).key
