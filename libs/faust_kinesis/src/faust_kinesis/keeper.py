"""Keeping leases: look at the table, decide, renew, claim, release; one `turn` at a time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace

from faust_kinesis.balance import Sightings, decide, forgettable, holds_all, may_read
from faust_kinesis.discovery import Discovery, Pace
from faust_kinesis.lease import Checkpoint, Lease, Status
from faust_kinesis.options import Options
from faust_kinesis.table import LeaseTable

log = logging.getLogger(__name__)

RENEWALS_AT_ONCE = 16


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
        self._leases = {key: le for key, le in (await self.table.all()).items() if le.stream in streams}
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
        held: dict[str, Lease] = {}
        for lease in await _at_most(RENEWALS_AT_ONCE, (self._renew(key) for key in decision.renew)):
            if lease is not None:
                held[lease.key] = lease
        self._note(held)
        for key in decision.claim:
            if not await self._claim(key) and self._options.exclusive:
                break
        for key in decision.release:
            await self.table.release(self._leases[key])

    def _note(self, held: dict[str, Lease]) -> None:
        lost = sorted(set(self.held) - set(held))
        if lost:
            log.warning("leases lost or given up: %s", ", ".join(lost))
        self.held = held
        self._leases |= held

    async def _renew(self, key: str) -> Lease | None:
        """Renew; the checkpoint known here is kept, for a commit may be on its way while this reply is."""
        renewed = await self.table.claim(self._leases[key])
        known = self.held.get(key)
        if renewed is None or known is None:
            return renewed
        return replace(known, owner=renewed.owner, counter=renewed.counter, status=renewed.status)

    async def _claim(self, key: str) -> bool:
        lease = self._leases[key]
        if not may_read(lease, self._leases, self.table.owner):
            return False
        claimed = await self.table.claim(lease)
        if claimed is None:
            return False
        log.info("lease taken: %s", key)
        self.held[key] = self._leases[key] = claimed
        return True

    async def _clean(self, expired: Collection[str]) -> None:
        alive = set(self._leases) - set(expired) | set(self.held)
        for key in forgettable(self._leases, self._listed, alive):
            await self.table.forget(self._leases.pop(key))
            self.held.pop(key, None)
            log.info("lease of a finished shard forgotten: %s", key)

    def _to_read(self) -> dict[str, Lease]:
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
        """Move checkpoints of held leases.

        Raises:
            LeaseLostError: one of them is another worker's.
        """
        await self.table.commit(checkpoints)
        for key, point in checkpoints.items():
            if key in self.held:
                self.held[key] = replace(
                    self.held[key], offset=point.offset, sequence=point.sequence, metadata=point.metadata
                )

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
        await _at_most(RENEWALS_AT_ONCE, (self.table.release(lease) for lease in held.values()))


async def _at_most(limit: int, calls: "Iterable[Awaitable[Lease | None]]") -> "list[Lease | None]":
    """Await all `calls`, `limit` at a time; the first failure is raised once all have ended."""
    room = asyncio.Semaphore(limit)

    async def one(call: "Awaitable[Lease | None]") -> "Lease | None":
        async with room:
            return await call

    results = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
