"""The consumer: shards in, batches out, offsets committed. What applications may ask it is in `outlook`."""

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from logging import WARNING
from typing import Any
from uuid import uuid4

from faust.types import TP
from mode import Service
from mode.utils.futures import notify

from faust_kinesis.backoff import Backoff
from faust_kinesis.commit import checkpoints, next_offset
from faust_kinesis.delivery import Delivery
from faust_kinesis.discovery import Discovery
from faust_kinesis.errors import LeaseLostError, describe, is_transient
from faust_kinesis.keeper import LeaseKeeper
from faust_kinesis.lease import Lease, Status
from faust_kinesis.outlook import Outlook
from faust_kinesis.positions import Positions
from faust_kinesis.readers import DeliverySensor, NeverRead, ShardReaders
from faust_kinesis.shards import Surroundings
from faust_kinesis.table import LeaseTable


class Consumer(Outlook, Positions, Delivery):
    """Reads the shards this worker holds leases for."""

    keeper: LeaseKeeper
    _surroundings: Surroundings

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Faust's own arguments
        """Take what Faust gives a consumer; the rest is in the broker URL."""
        super().__init__(*args, **kwargs)
        self.options = self.transport.options
        #: Text kept with each shard's checkpoint; set `commit_metadata[tp]` after each processed batch.
        self.commit_metadata: dict[TP, str] = {}
        self.readers = ShardReaders(self)
        self.committed_at = time.monotonic()
        self._read_offset = NeverRead()
        self._streams: frozenset[str] = frozenset()
        self._assigned: dict[TP, str] = {}  # -> lease key
        self._finished: set[TP] = set()
        self._moving = asyncio.Lock()  # positions do not change hands while a commit is in flight
        self._wake = asyncio.Event()
        self._not_stored = Backoff()
        self._clients = AsyncExitStack()
        self._connected = False
        self.app.sensors.add(DeliverySensor(self._delivered))

    # -- lifecycle

    async def on_start(self) -> None:
        """Connect, and make sure that the lease table is there."""
        kinesis = await self._clients.enter_async_context(self.transport.create_client("kinesis"))
        dynamodb = await self._clients.enter_async_context(self.transport.create_client("dynamodb"))
        owner = f"{self.options.worker or uuid4().hex}/{uuid4().hex[:12]}"
        table = LeaseTable(dynamodb, self.options.table or self.app.conf.id, owner)
        self.keeper = LeaseKeeper(table, Discovery(kinesis, table, self.options.start), self.options)
        self._surroundings = Surroundings(
            kinesis=kinesis,
            options=self.options,
            room=lambda: self.readers.room(self.options),
            poll_s=lambda: self.readers.poll_s(self.options),
            arrived=self.readers.arrived.set,
            ended=self._on_shard_end,
            is_listed=self.keeper.is_listed,
        )
        self._connected = True

    async def on_stop(self) -> None:
        """Commit what is acknowledged and hand the shards over."""
        try:
            if self._connected:
                await self._hand_over()
        finally:
            await self._clients.aclose()

    async def _hand_over(self) -> None:
        try:
            await super().on_stop()  # commits
            await self.readers.stop()
            await self.keeper.release_all()
        except Exception as error:
            if not is_transient(error):
                raise
            self.log.warning("stopping without giving the leases up: %s", describe(error))

    async def wait_empty(self) -> None:
        """Commit what is acknowledged, waiting half a lease at most for the rest (batches may stay open on purpose)."""
        deadline = time.monotonic() + self.options.lease_s / 2
        while self._unacked_messages and time.monotonic() < deadline and not self.should_stop:
            self._clean_unacked_messages()
            await asyncio.sleep(0.1)
        await self.commit_and_end_transactions()

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Read these streams."""
        self._streams = frozenset(topics)
        self._wake.set()

    # -- leases -> assignment

    @Service.task  # type: ignore[untyped-decorator]
    async def _hold_leases(self) -> None:
        backoff = Backoff(first_s=self.options.renew_s / 4, longest_s=self.options.renew_s)
        await self._until_connected(backoff)
        while not self.should_stop:
            try:
                await self._turn()
                backoff.reset()
                pause = self.options.renew_s * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the workers
            except Exception as error:
                if not is_transient(error):
                    raise
                self.log.log(
                    backoff.level() or WARNING, "leases: %s; trying again (try %d)", describe(error), backoff.tries + 1
                )
                pause = backoff.next_s()
            await self._rest(pause)

    async def _until_connected(self, backoff: Backoff) -> None:
        while not self.should_stop:
            try:
                await self.keeper.table.ensure()
            except Exception as error:
                if not is_transient(error):
                    raise
                self.log.log(backoff.level() or WARNING, "lease table: %s; trying again", describe(error))
                await self.sleep(backoff.next_s())
            else:
                return

    async def _rest(self, seconds: float) -> None:
        """Wait for `seconds`, or until there is a reason to look at the leases at once."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
        self._wake.clear()

    async def _turn(self) -> None:
        if not self._streams:
            return
        await self._mark_ended()
        wanted = {lease.tp: lease for lease in (await self.keeper.turn(self._streams)).values()}
        if set(wanted) != set(self._assigned) - self._finished or not self.generation:
            await self._rebalance(wanted)

    async def _mark_ended(self) -> None:
        """Store which shards are read to their end, and which are committed to their end too."""
        for tp, reader in self.readers.by_tp.items():
            lease = self.keeper.held.get(reader.lease_key)
            if lease is None or not reader.end.is_set() or lease.status is Status.DONE:
                continue
            done = (self._committed_offset[tp] or 0) == reader.position
            status = Status.DONE if done else Status.READ
            if status is not lease.status and await self.keeper.set_status(lease.key, status) and done:
                self._finished.add(tp)

    def _on_shard_end(self) -> None:
        self.keeper.pace.hurry()
        self._wake.set()

    async def _rebalance(self, wanted: Mapping[TP, Lease]) -> None:
        """Begin a new generation: every shard starts again from its checkpoint (an eager rebalance)."""
        app = self.app
        await self.commit()
        app.on_rebalance_start()
        async with self._moving:
            await self.on_partitions_revoked(set(self._assigned))
            await self.readers.stop()
            self._finished = set()
            self._assigned = {tp: lease.key for tp, lease in wanted.items()}
            app.consumer_generation_id += 1
            self.commit_metadata = {tp: lease.metadata for tp, lease in wanted.items()}
        self.log.info("generation %d: %s", self.generation, ", ".join(sorted(self._assigned.values())) or "standing by")
        await self.on_partitions_assigned(set(wanted), self.generation)

    def assignment(self) -> set[TP]:
        """Return the partitions (shards) this worker reads now."""
        return set(self._assigned)

    # -- positions

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Start a reader for each assigned shard at its checkpoint; return their first offsets."""
        async with self._moving:
            await self.readers.stop()
            held = self.keeper.held
            leases = [held[key] for key in self._assigned.values() if key in held]
            self.commit_metadata = {lease.tp: lease.metadata for lease in leases}
            firsts = await self.readers.start(leases, self._surroundings)
            for tp in firsts:
                self._acked_index[tp].clear()
                self._acked[tp].clear()
            return firsts

    # -- acknowledging and committing

    def acknowledge(self, tp: TP, offset: int, generation: int) -> bool:
        """Mark the batch at `offset` as done with; False when it is of an earlier assignment, and nothing is marked.

        For applications with `stream.noack()`, which then need not keep the event (and its records) until then.
        """
        if generation != self.generation or offset < (self._committed_offset[tp] or 0):
            return False
        self._acked_index[tp].add(offset)
        return True

    def ack(self, message: Any) -> bool:  # noqa: ANN401 - Faust's message
        """Acknowledge a message for Faust's streams."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)
        return self.acknowledge(message.tp, message.offset, message.generation_id)

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()  # Faust's list of what its index holds as well
        start = self._committed_offset[tp] or 0
        offset = next_offset(start, self._acked_index[tp])
        return offset if offset > start else None

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ANN401, ARG002, FBT001, FBT002 - Faust's signature
        """Commit acknowledged offsets and changed metadata; False when nothing was, or could be, committed."""
        state = self.app.sensors.on_commit_initiated(self)
        generation = self.generation
        offsets = {tp: self._new_offset(tp) for tp in self.readers.by_tp if _chosen(tp, topics)}
        moved = {tp: offset for tp, offset in offsets.items() if offset is not None}
        await self._handle_attached(moved)
        committed = await self._all_sent() and await self._commit_in(generation, moved)
        self.app.sensors.on_commit_completed(self, state)
        return committed

    async def _all_sent(self) -> bool:
        """What the application sent with Faust's own `send` goes before the commit of what it was made of."""
        settled: bool = await self.app.producer.settled(self.options.renew_s)
        if not settled:
            self.log.warning("not committed: records are still being sent")
        return settled

    async def _commit_in(self, generation: int, offsets: Mapping[TP, int]) -> bool:
        async with self._moving:
            return generation == self.generation and await self._commit(offsets)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        leases = {tp: self.keeper.held[key] for tp, key in self._assigned.items() if key in self.keeper.held}
        points = checkpoints(leases, self.readers.by_tp, offsets, self.commit_metadata)
        if points and not await self._store(points):
            return False
        self.committed_at = time.monotonic()
        for tp in offsets.keys() & leases.keys():
            self._move_on(tp, offsets[tp])
        return bool(points)

    async def _store(self, points: Mapping[str, Any]) -> bool:
        try:
            await self.keeper.commit(dict(points))
        except LeaseLostError as error:
            self.log.warning("lease lost, not committed: %s", error)
            self._wake.set()
        except Exception as error:
            if not is_transient(error):
                raise
            level = self._not_stored.level() or WARNING
            self._not_stored.tries += 1
            self.log.log(level, "not committed, the next commit will: %s", describe(error))
        else:
            self._not_stored.reset()
            return True
        return False

    def _move_on(self, tp: TP, offset: int) -> None:
        self.readers.by_tp[tp].forget(offset)
        self._committed_offset[tp] = offset
        self._acked_index[tp] = {later for later in self._acked_index[tp] if later >= offset}
        self.app.monitor.on_tp_commit({tp: offset})
        self.app.tables.on_commit({tp: offset})


def _chosen(tp: TP, topics: Any) -> bool:  # noqa: ANN401 - Faust's: topic names, partitions or both
    return topics is None or tp in topics or tp.topic in topics
