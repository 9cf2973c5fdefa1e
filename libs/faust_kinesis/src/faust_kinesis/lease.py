"""A lease: who reads a shard, how far it is committed, and how DynamoDB stores that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from faust.types import TP

START_TRIM_HORIZON = ""  # `Lease.start` of a shard that is read from its oldest record


class Status(StrEnum):
    """How far a shard's reading has come."""

    OPEN = "OPEN"
    READ = "READ"  # its end is read, but not all of it is committed
    DONE = "DONE"  # all of it is committed; nobody reads it again


def partition_of(shard_id: str) -> int:
    """Return the Faust partition of a shard: Kinesis ids end in 12 digits that stay the same for good."""
    return int(shard_id.rpartition("-")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a commit writes: the next offset, the last sequence number done, the application's text.

    `version` counts the commits of a shard: where two places have a checkpoint of it, the higher one holds.
    """

    offset: int
    sequence: str
    metadata: str
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One shard's row in the lease table.

    `offset` is the next batch's (all before it are done), `sequence` the sequence number of the last record
    done (empty: none), `metadata` what the application committed with it, `start` where to begin without a
    sequence: empty for the oldest record, else milliseconds since the epoch.
    """

    key: str
    stream: str
    shard_id: str
    parents: tuple[str, ...] = ()
    owner: str = ""
    counter: int = 0
    offset: int = 0
    sequence: str = ""
    metadata: str = ""
    version: int = 0
    status: Status = Status.OPEN
    start: str = START_TRIM_HORIZON

    @property
    def tp(self) -> TP:
        """The topic (stream) and partition (shard number) of Faust."""
        return TP(self.stream, partition_of(self.shard_id))

    @property
    def touched(self) -> bool:
        """Whether anything of the shard has been read and committed."""
        return bool(self.sequence) or self.status is not Status.OPEN

    def at(self, point: Checkpoint) -> "Lease":
        """Return the lease with `point` as its checkpoint."""
        return replace(
            self, offset=point.offset, sequence=point.sequence, metadata=point.metadata, version=point.version
        )


def lease_key(stream: str, shard_id: str) -> str:
    """Return the key of a shard's lease."""
    return f"{stream}/{shard_id}"


def to_item(lease: Lease) -> dict[str, Any]:
    """Return `lease` as a DynamoDB item."""
    texts = ("key", "stream", "shard_id", "owner", "sequence", "metadata", "status", "start")
    item: dict[str, Any] = {name: {"S": str(getattr(lease, name))} for name in texts}
    item |= {name: {"N": str(getattr(lease, name))} for name in ("counter", "offset", "version")}
    item["parents"] = {"L": [{"S": parent} for parent in lease.parents]}
    return item


def from_item(item: Mapping[str, Any]) -> Lease:
    """Return the lease in a DynamoDB item."""
    texts = ("key", "stream", "shard_id", "owner", "sequence", "metadata", "start")
    return Lease(
        **{name: item[name]["S"] for name in texts},
        status=Status(item["status"]["S"]),
        counter=int(item["counter"]["N"]),
        offset=int(item["offset"]["N"]),
        version=int(item.get("version", {"N": "0"})["N"]),
        parents=tuple(parent["S"] for parent in item["parents"]["L"]),
    )
