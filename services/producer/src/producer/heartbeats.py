"""Heartbeats: one a second into every shard, stamped with the event time that the replay has reached.

They move the watermark of shards that have no rows, and close the last windows. They are no actions and are never
counted.
"""

import asyncio
from typing import Final

from producer.options import ReplayOptions
from producer.progress import Progress
from producer.sending.delivery import Sleep
from producer.sending.lanes import Lanes
from servicekit.clock import Clock
from storepulse.activity.codec import encode
from storepulse.activity.events import Heartbeat
from storepulse.instants import format_instant, from_datetime
from storepulse.replay.pacing import Pace

EVERY_S: Final = 1.0


class Heartbeats:
    """Puts heartbeats into all lanes."""

    def __init__(self, lanes: Lanes, progress: Progress, *, shift: int | None) -> None:
        """Use `lanes`; count in `progress`; `shift` is the event clock's."""
        self._lanes, self._progress, self._shift = lanes, progress, shift

    def beat(self, stamp: int) -> None:
        """Put one into each lane, stamped `stamp` (ms since the epoch), behind all rows there."""
        beat = Heartbeat(txn_timestamp=format_instant(stamp), replay_shift_ms=self._shift)
        self._lanes.beat(encode(beat), stamp)
        self._progress.heartbeats += len(self._lanes.lanes)
        self._progress.last_stamp = max(self._progress.last_stamp, stamp)

    async def drain(self, options: ReplayOptions, clock: Clock, sleep: Sleep, stopping: asyncio.Event) -> None:
        """Let event time run on, at the replay's speed, until the window of the last row can fire, or until stopped."""
        last = self._progress.last_stamp
        target = last + options.run_out_ms
        pace: Pace = options.pacing()
        began = clock.monotonic()
        stamp = last
        while stamp < target and not stopping.is_set():
            spent = pace.reached((clock.monotonic() - began) * 1000)
            if options.clock == "wall":
                stamp = from_datetime(clock.now())
            else:
                stamp = target if spent is None else min(target, last + spent)
            self.beat(max(stamp, last))
            await self._lanes.idle()
            if stamp < target:
                await sleep(EVERY_S)
