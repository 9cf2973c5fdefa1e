"""Keeping leases: look at the table, decide, renew, claim, release; one `turn` at a time."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from faust_kinesis.balance import Sightings, decide, forgettable, holds_all, may_read
from faust_kinesis.bounded import CALLS_AT_ONCE, at_most
from faust_kinesis.discovery import Discovery, Pace
from faust_kinesis.errors import LeaseLostError
from faust_kinesis.lease import Checkpoint, Lease, Status
from faust_kinesis.options import Options
from faust_kinesis.snapshot import newest
from faust_kinesis.table import LeaseTable

log = logging.getLogger(__name__)


class LeaseKeeper:
    """What this worker holds. Not a loop: the consumer calls `turn` every renewal interval."""

    def __init__(
        self, table: LeaseTable, discovery: Discovery, options: Options, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Hold nothing yet; `now` gives monotonic seconds."""
        self.table = table
        self.held: dict[str, Lease] = {}
        self.active = False
        self.pace = Pace(options.discover_s)
        self._discovery = discovery
        self._options = options
        self._sightings = Sightings(options.lease_s)
        self._leases: dict[str, Lease] = {}
        self._listed: set[str] = set()
        self._together: dict[str, Checkpoint] = {}  # what an exclusive worker's commit holds, by lease key
        self._stored: set[str] = set()  # keys of the leases that are in the table
        self._fenced = False  # somebody else took the snapshot, whoever has the leases
        self._now = now
        self._renewed_at: float | None = None

    @property
    def fresh(self) -> bool:
        """The leases were renewed within their duration: no other worker can have taken one."""
        return self._renewed_at is not None and self._now() - self._renewed_at < self._options.lease_s

    async def turn(self, streams: Collection[str]) -> dict[str, Lease]:
        """Renew, rebalance and clean up once; return the leases this worker should read now, by key.

        Raises:
            Exception: what the AWS clients raise; nothing is lost, the next turn goes on.
        """
        began = self._now()
        if self._fenced:
            self.held = {}  # what is still this worker's is taken up anew, at its stored checkpoint
        stored = await self.table.all()
        self._stored = set(stored)
        self._leases = {key: le for key, le in stored.items() if le.stream in streams}
        listed = await self._discover(streams)
        expired = self._sightings.expired(self._leases, self._now())
        await self._apply(expired)
        self._renewed_at = began
        if listed:
            await self._clean(expired)
        return self._to_read()

    async def _discover(self, streams: Collection[str]) -> bool:
        if not self.pace.is_due(self._now()):
            return False
        listed: set[str] = set()
        for stream in sorted(streams):
            keys, added = await self._discovery.discover(stream, self._leases)
            listed |= keys
            self._leases |= {lease.key: lease for lease in added}
            self._stored |= {lease.key for lease in added}
        self._listed = listed
        self.pace.listed(self._now())
        return True

    async def _apply(self, expired: Collection[str]) -> None:
        decision = decide(
            self._leases,
            expired,
            self.table.owner,
            exclusive=self._options.exclusive,
            restarted=self._renewed_at is None,
        )
        mine = await self._renew(decision.renew)
        lost = sorted(set(self.held) - set(mine))
        if lost:
            log.warning("leases lost or given up: %s", ", ".join(lost))
        self.held = {key: lease for key, lease in mine.items() if key in self.held}
        new = {key: lease for key, lease in mine.items() if key not in self.held} | await self._claim(decision.claim)
        await self._hold(new)
        await at_most(CALLS_AT_ONCE, (self.table.release(self._leases[key]) for key in decision.release))

    async def _renew(self, keys: Sequence[str]) -> dict[str, Lease]:
        """Renew one lease, which speaks for all: see `Sightings`. Return those that are still this worker's.

        The checkpoints known here are kept, for a commit may have been on its way when the table was read.
        """
        mine = {key: self._leases[key] for key in keys}
        for key in sorted(mine):
            renewed = await self.table.claim(mine[key])
            if renewed is not None:
                mine[key] = renewed
                break
            del mine[key]
        return {
            key: replace(self.held.get(key, lease), owner=lease.owner, counter=lease.counter, status=lease.status)
            for key, lease in mine.items()
        }

    async def _claim(self, keys: Sequence[str]) -> dict[str, Lease]:
        """Claim leases, many at a time, parents before children; return those that are this worker's now.

        The first one decides which of several exclusive workers becomes the active one, so it comes alone.
        """
        taken: dict[str, Lease] = {}
        todo, exclusive = list(keys), self._options.exclusive
        while ready := [key for key in todo if may_read(self._leases[key], self._leases, self.table.owner)]:
            if exclusive and not taken:
                ready = ready[:1]
            claimed = await at_most(CALLS_AT_ONCE, (self.table.claim(self._leases[key]) for key in ready))
            new = {lease.key: lease for lease in claimed if lease is not None}
            log.info("leases taken: %s", ", ".join(sorted(new)) or "none")
            taken |= new
            self._leases |= new
            if exclusive and len(new) < len(ready):
                break
            todo = [key for key in todo if key not in ready]
        return taken

    async def _hold(self, new: Mapping[str, Lease]) -> None:
        """Take up leases at their checkpoints, which may be in the snapshot of an exclusive worker.

        Whoever committed there before commits no more once it is taken.
        """
        if new:
            taken = await self.table.take_snapshot(create=self._options.exclusive)
            self._together = newest(self._together, taken)  # a commit may have been under way
        for key, lease in new.items():
            point = self._together.get(key)
            self.held[key] = lease.at(point) if point is not None and point.version > lease.version else lease
        self._leases |= self.held

    async def _clean(self, expired: Collection[str]) -> None:
        alive = set(self._leases) - set(expired) | set(self.held)
        for key in forgettable(self._leases, self._listed, alive):
            await self.table.forget(self._leases.pop(key))
            self.held.pop(key, None)
            self._stored.discard(key)
            log.info("lease of a finished shard forgotten: %s", key)

    def _to_read(self) -> dict[str, Lease]:
        if self._fenced:
            self._fenced = self.active = False
            return {}  # stand by for a turn: all begins anew
        wanted = {key: lease for key, lease in self.held.items() if lease.status is not Status.DONE}
        if not self._options.exclusive:
            self.active = bool(wanted)
            return wanted
        self.active = bool(wanted) and (self.active or holds_all(self._leases, self.table.owner))
        return wanted if self.active else {}

    async def set_status(self, key: str, status: Status) -> bool:
        """Store how far a held shard is read; False when its lease is lost."""
        lease = await self.table.set_status(self.held[key], status)
        if lease is None:
            return False
        self.held[key] = replace(self.held[key], status=status)
        return True

    async def commit(self, checkpoints: dict[str, Checkpoint]) -> None:
        """Move checkpoints of held leases: an exclusive worker's all together, else each for itself.

        Raises:
            LeaseLostError: one of them is another worker's.
        """
        if self._options.exclusive:
            await self._commit_together(checkpoints)
        else:
            await self.table.commit(checkpoints)
        for key, point in checkpoints.items():
            if key in self.held:
                self.held[key] = self.held[key].at(point)

    async def _commit_together(self, checkpoints: dict[str, Checkpoint]) -> None:
        """Move all checkpoints in one write. Those of shards that are finished or forgotten are left out."""
        done = {key for key, lease in self._leases.items() if lease.status is Status.DONE}
        current = self._stored - done
        points = {key: point for key, point in (self._together | checkpoints).items() if key in current}
        try:
            await self.table.commit_together(points)
        except LeaseLostError:
            self._fenced = True
            raise
        self._together = points

    def handed_over(self, key: str, ended_at: float) -> bool:
        """Tell whether an ended shard's children, if it has any, are being read (or have been)."""
        children = [lease for lease in self._leases.values() if key in lease.parents]
        if children:
            return all(child.owner or child.touched for child in children)
        return self.pace.last_s is not None and self.pace.last_s > ended_at

    async def is_listed(self, lease: Lease) -> bool:
        """Tell whether the stream has the lease's shard now.

        Raises:
            ClientError: ResourceNotFoundException when the stream itself is gone.
        """
        keys, _ = await self._discovery.discover(lease.stream, self._leases)
        return lease.key in keys

    async def release_all(self) -> None:
        """Give up every lease, so that another worker need not wait for them to expire."""
        held, self.held = self.held, {}
        self.active = False
        await at_most(CALLS_AT_ONCE, (self.table.release(lease) for lease in held.values()))
