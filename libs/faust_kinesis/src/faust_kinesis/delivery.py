"""From the readers into Faust: one batch at a time, and only of shards that Faust wants now."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from faust.transport import consumer as base
from faust.types import TP, ConsumerMessage

from faust_kinesis.readers import ShardReaders
from faust_kinesis.shards import Arrival

UNUSED = "getmany takes batches from the readers"


class Delivery(base.Consumer):  # type: ignore[misc]  # faust has no types
    """The part of Faust's consumer that hands out messages."""

    readers: ShardReaders

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's signature
        """Yield what has arrived; a batch of a shard that is paused, or of an old generation, is not taken.

        Faust's own version drops what it holds of a shard that is paused meanwhile.
        """
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        generation, active = self.app.consumer_generation_id, self._get_active_partitions()
        await self.readers.wait(active, timeout)
        for tp, arrival in self.readers.one_by_one(active):
            yield tp, self._to_message(tp, arrival)
            if not self.flow_active or generation != self.app.consumer_generation_id or self.should_stop:
                return

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, Any]:  # noqa: ASYNC109 - Faust's signature
        raise NotImplementedError(UNUSED)

    def _to_message(self, tp: TP, arrival: Arrival) -> ConsumerMessage:
        batch = arrival.batch
        arrived_ms = batch.records[-1].arrived_ms
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=arrival.offset,
            timestamp=time.time() if arrived_ms is None else arrived_ms / 1000,
            timestamp_type=1,
            headers=None,
            key=None,
            value=batch,
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _delivered(self, tp: TP, offset: int) -> None:
        reader = self.readers.by_tp.get(tp)
        if reader is not None:
            reader.delivered(offset)

    def on_buffer_drop(self, tp: TP) -> None:
        """Faust has room for the shard again: go on with it at once."""
        super().on_buffer_drop(tp)
        self.readers.arrived.set()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Go on with shards that were paused, at once."""
        super().resume_partitions(tps)
        self.readers.arrived.set()
