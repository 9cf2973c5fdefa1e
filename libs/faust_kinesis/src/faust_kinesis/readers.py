"""The readers of the shards a worker has now, started and stopped together."""

import asyncio
from collections.abc import Callable, Collection, Iterator
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

    def poll_s(self, options: Options) -> float:
        """Return the seconds between two polls of a shard at its tip: the more shards, the longer."""
        return options.poll_s(len(self.by_tp))

    def one_by_one(self, active: Collection[TP]) -> Iterator[tuple[TP, Arrival]]:
        """Go round the shards, one batch of each at a time, until the shards in `active` have nothing left.

        A batch leaves its reader only when it is asked for, and `active` is looked at each time: what is left of a
        shard that is paused meanwhile stays where it is.
        """
        found = True
        while found:
            found = False
            for tp, reader in list(self.by_tp.items()):
                arrival = reader.take() if tp in active else None
                if arrival is not None:
                    found = True
                    yield tp, arrival

    async def wait(self, active: Collection[TP], timeout_s: float) -> None:
        """Return when there may be a batch of a shard in `active`, or after `timeout_s`."""
        if any(reader.has_arrivals for tp, reader in self.by_tp.items() if tp in active):
            return
        self.arrived.clear()
        try:
            await asyncio.wait_for(self.arrived.wait(), timeout_s)
        except TimeoutError:
            return


class DeliverySensor(Sensor):  # type: ignore[misc]  # faust has no types
    """Tells the reader that the application has a batch: Faust's own queues then hold it no more."""

    def __init__(self, delivered: Callable[[TP, int], None]) -> None:
        """Call `delivered` with each batch's partition and offset."""
        super().__init__()
        self._delivered = delivered

    def on_stream_event_in(self, tp: TP, offset: int, stream: Any, event: Any) -> None:  # noqa: ANN401, ARG002 - Faust's
        """Note that a stream hands the batch to its agent."""
        self._delivered(tp, offset)


class NeverRead(dict[TP, None]):
    """Faust's table of read offsets, always empty.

    Faust drops messages below it and fills gaps above it; batches come once and dense, and an entry left over from
    before a rebalance would drop good ones.
    """

    def __getitem__(self, tp: TP) -> None:
        """Return None: nothing was read before."""

    def __setitem__(self, tp: TP, offset: object) -> None:
        """Keep nothing."""

    def update(self, *_: object, **__: object) -> None:
        """Keep nothing."""
