"""What an application may ask the consumer about itself."""

import time
from collections.abc import Mapping
from typing import Any

from faust.types import TP

from faust_kinesis.keeper import LeaseKeeper
from faust_kinesis.options import Options
from faust_kinesis.readers import ShardReaders


class Outlook:
    """The consumer's public questions; all are answered from memory, at once."""

    app: Any
    options: Options
    keeper: LeaseKeeper
    readers: ShardReaders
    committed_at: float
    _assigned: dict[TP, str]  # -> lease key

    @property
    def exclusive(self) -> bool:
        """One worker reads all shards, the others stand by."""
        return self.options.exclusive

    @property
    def generation(self) -> int:
        """The number of this assignment; a message's `generation_id` is that of the assignment it was read in."""
        return int(self.app.consumer_generation_id)

    @property
    def ready(self) -> bool:
        """The leases were renewed in time and no rebalance is going on (also true of a worker standing by)."""
        return self.generation > 0 and self.keeper.fresh and not self.app.rebalancing

    @property
    def standing_by(self) -> bool:
        """Ready, with no shard to read: every shard is another worker's."""
        return self.ready and not self.readers.by_tp

    @property
    def lag(self) -> Mapping[str, int]:
        """Milliseconds behind the tip, by shard id."""
        return {r.lease_key.partition("/")[2]: r.millis_behind() for r in self.readers.by_tp.values()}

    def millis_behind(self) -> int:
        """Return the milliseconds behind the tip of the worst shard (0 without one).

        It is Kinesis's MillisBehindLatest at the last poll, plus the time since when polls do not come back.
        """
        return max(self.lag.values(), default=0)

    def idle(self, tp: TP, processed: int = -1) -> bool:
        """Tell whether a shard holds nobody back: all of it is processed and nothing new has come for a while.

        `processed` is the offset of the last message the application has processed in this generation (-1: none).
        A shard that has ended is idle once its children, if it has any, are being read.
        """
        reader = self.readers.by_tp.get(tp)
        if reader is None or reader.unprocessed(processed):
            return False
        if reader.end.is_set():
            return self.keeper.handed_over(reader.lease_key, reader.ended_at)
        return reader.is_quiet()

    def at_tip(self, tp: TP, processed: int = -1) -> bool:
        """Tell whether all of a shard is processed, and at the last poll there was nothing behind it."""
        reader = self.readers.by_tp.get(tp)
        return reader is None or not (reader.behind_ms or reader.unprocessed(processed))

    def arrival(self, tp: TP, processed: int = -1) -> int | None:
        """Return when Kinesis took the oldest record that was read and is not processed, by Kinesis's clock.

        In milliseconds since the epoch; None when there is no such record, or Kinesis did not say.
        """
        reader = self.readers.by_tp.get(tp)
        return reader.arrived_at(processed) if reader is not None and reader.unprocessed(processed) else None

    def shard_id(self, tp: TP) -> str:
        """Return the Kinesis shard id of an assigned partition."""
        return self._assigned[tp].partition("/")[2]

    def seconds_since_commit(self) -> float:
        """Return the seconds since the last commit, or since there was last nothing to commit."""
        return time.monotonic() - self.committed_at
