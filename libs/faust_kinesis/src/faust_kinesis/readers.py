"""The readers of the shards a worker has now, started and stopped together."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from faust.sensors import Sensor
from faust.types import TP
from mode import Service

from faust_kinesis.lease import Lease
from faust_kinesis.options import Options
from faust_kinesis.shards import Arrival, ShardReader, Surroundings


class ShardReaders:
    """One reader for each shard; together they read at most `prefetch` bytes ahead of the application."""

    def __init__(self, service: Service) -> None:
        """Run the readers as children of `service`."""
        self.by_tp: dict[TP, ShardReader] = {}
        self.arrived = asyncio.Event()
        self._service = service
        self._issued: dict[TP, int] = {}

    async def start(self, leases: Collection[Lease], surroundings: Surroundings) -> dict[TP, int]:
        """Start a reader for each of `leases`, children after their parents; return each one's first offset.

        Offsets never come twice in a process, so that an acknowledgement from before a rebalance is harmless.
        """
        ends: dict[str, asyncio.Event] = {}
        for lease in sorted(leases, key=lambda lease: lease.key):
            first = max(lease.offset, self._issued.get(lease.tp, 0))
            after = [ends[parent] for parent in lease.parents if parent in ends]
            reader = ShardReader(
                surroundings, lease, first, after, loop=self._service.loop, beacon=self._service.beacon
            )
            ends[lease.key] = reader.end
            self.by_tp[lease.tp] = reader
        firsts = {tp: reader.first for tp, reader in self.by_tp.items()}
        for reader in list(self.by_tp.values()):
            await self._service.add_runtime_dependency(reader)
        return firsts

    async def stop(self) -> None:
        """Stop and forget them all."""
        readers, self.by_tp = self.by_tp, {}
        for tp, reader in readers.items():
            self._issued[tp] = max(reader.position, self._issued.get(tp, 0))
        for reader in readers.values():
            await self._service.remove_dependency(reader)

    def room(self, options: Options) -> float:
        """Return each reader's part of the prefetch bytes."""
        return options.prefetch_bytes / max(1, len(self.by_tp))

    def take(self, active: Collection[TP] | None) -> dict[TP, list[Arrival]]:
        """Return what has arrived for the partitions in `active` (None: all)."""
        taken = {tp: reader.take() for tp, reader in self.by_tp.items() if active is None or tp in active}
        return {tp: arrivals for tp, arrivals in taken.items() if arrivals}

    async def wait_and_take(self, active: Collection[TP] | None, timeout_s: float) -> dict[TP, list[Arrival]]:
        """Return what has arrived, or arrives within `timeout_s`."""
        taken = self.take(active)
        if taken:
            return taken
        self.arrived.clear()
        try:
            await asyncio.wait_for(self.arrived.wait(), timeout_s)
        except TimeoutError:
            return {}
        return self.take(active)


class DeliverySensor(Sensor):  # type: ignore[misc]  # faust has no types
    """Tells the reader that the application has a batch: Faust's own queues then hold it no more."""

    def __init__(self, delivered: Callable[[TP, int], None], **service: Any) -> None:
        """Call `delivered` with each batch's partition and offset."""
        super().__init__(**service)
        self._delivered = delivered

    def on_stream_event_in(self, tp: TP, offset: int, stream: Any, event: Any) -> None:  # noqa: ANN401, ARG002 - Faust's
        """Note that a stream hands the batch to its agent."""
        self._delivered(tp, offset)


class NeverRead(dict[TP, int | None]):
    """Faust's table of read offsets, always empty.

    Faust drops messages below it and fills gaps above it; batches come once and dense, and an entry left over from
    before a rebalance would drop good ones.
    """

    def __getitem__(self, tp: TP) -> None:
        """Return None: nothing was read before."""

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Keep nothing."""

    def update(self, *args: Mapping[TP, int | None], **kwargs: int | None) -> None:
        """Keep nothing."""
