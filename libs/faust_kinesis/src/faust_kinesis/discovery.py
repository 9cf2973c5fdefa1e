"""Finding shards: ListShards at a modest rate, one lease for each shard that has none."""

import logging
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from faust_kinesis.bounded import CALLS_AT_ONCE, at_most
from faust_kinesis.lease import START_TRIM_HORIZON, Lease, lease_key
from faust_kinesis.options import Start
from faust_kinesis.table import LeaseTable

if TYPE_CHECKING:
    from types_aiobotocore_kinesis import KinesisClient

log = logging.getLogger(__name__)

PARENTS = ("ParentShardId", "AdjacentParentShardId")


def lineage(stream: str, shard: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the lease keys of the shards that `shard` continues."""
    return tuple(lease_key(stream, shard[name]) for name in PARENTS if shard.get(name))


def unknown_shards(stream: str, shards: Sequence[Mapping[str, Any]], known: Collection[str]) -> list[Lease]:
    """Return a lease for each shard to add to those `known`, parents before children.

    A shard with a known descendant has been read to its end and its lease forgotten: it is not added again.
    """
    leases = sorted(
        (
            Lease(key=lease_key(stream, shard["ShardId"]), stream=stream, shard_id=shard["ShardId"], parents=parents)
            for shard in shards
            for parents in [lineage(stream, shard)]
        ),
        key=lambda lease: lease.key,
    )
    finished = _ancestors(leases, known)
    return [lease for lease in leases if lease.key not in known and lease.key not in finished]


def waves(leases: Sequence[Lease]) -> Iterator[list[Lease]]:
    """Part `leases` into those that can be added at the same time: a child never before a parent.

    A child without its parent would be taken for one whose parent is finished, should the worker die in between.
    """
    rest = list(leases)
    while rest:
        keys = {lease.key for lease in rest}
        wave = [lease for lease in rest if not keys.intersection(lease.parents)]
        yield wave
        rest = [lease for lease in rest if lease not in wave]


def _ancestors(leases: Sequence[Lease], known: Collection[str]) -> set[str]:
    parents = {lease.key: lease.parents for lease in leases}
    found: set[str] = set()
    todo = [parent for lease in leases if lease.key in known for parent in lease.parents]
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo.extend(parents.get(key, ()))
    return found


@dataclass(slots=True)
class Pace:
    """When to list again: every `every_s` seconds, give or take a tenth, or as soon as somebody asks."""

    every_s: float
    last_s: float | None = None
    _next_s: float = 0.0

    def is_due(self, now_s: float) -> bool:
        """Tell whether it is time to list."""
        return now_s >= self._next_s

    def listed(self, now_s: float) -> None:
        """Note that a listing succeeded at `now_s`."""
        self.last_s = now_s
        self._next_s = now_s + self.every_s * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the workers

    def hurry(self) -> None:
        """List at the next occasion."""
        self._next_s = 0.0


@dataclass(slots=True)
class Discovery:
    """Lists the shards of streams and adds their leases."""

    kinesis: "KinesisClient"
    table: LeaseTable
    start: Start
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def discover(self, stream: str, known: Mapping[str, Lease]) -> tuple[set[str], list[Lease]]:
        """List `stream` once; return the lease keys of all its shards, and the leases added.

        Raises:
            ClientError: among others ResourceNotFoundException, when there is no such stream.
        """
        shards, listed_at = await self._list(stream)
        added = unknown_shards(stream, shards, known.keys())
        if added:
            start = await self.table.agree_on_start(stream, self._begin(listed_at))
            added = [_starting(lease, start) for lease in added]
        for wave in waves(added):
            await at_most(CALLS_AT_ONCE, (self.table.add(lease) for lease in wave))
            log.info("shards found: %s", ", ".join(lease.key for lease in wave))
        return {lease_key(stream, shard["ShardId"]) for shard in shards}, added

    async def _list(self, stream: str) -> tuple[list[Mapping[str, Any]], datetime]:
        page: Any = await self.kinesis.list_shards(StreamName=stream)
        listed_at = _date_of(page) or self.now()
        shards = list(page["Shards"])
        while page.get("NextToken"):
            page = await self.kinesis.list_shards(NextToken=page["NextToken"])
            shards += page["Shards"]
        return shards, listed_at

    def _begin(self, listed_at: datetime) -> str:
        """Where the first reading of a stream begins; LATEST is the moment of the listing, by Kinesis's clock."""
        if self.start == "TRIM_HORIZON":
            return START_TRIM_HORIZON
        moment = listed_at if self.start == "LATEST" else self.start
        return str(int(moment.timestamp() * 1000))


def _date_of(reply: Mapping[str, Any]) -> datetime | None:
    text = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(text) if text else None


def _starting(lease: Lease, start: str) -> Lease:
    """The lease with its start: the stream's. A child of a later reshard has no record older than that."""
    return Lease(key=lease.key, stream=lease.stream, shard_id=lease.shard_id, parents=lease.parents, start=start)
