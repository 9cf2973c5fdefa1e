"""Rows that are no events, on their way to the queue."""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from producer.ports import BadEvents
from storepulse.failures import BadEvent

_BATCH: Final = 10
_WORKERS: Final = 8


class BadEventLane:
    """Hands bad events on in batches, several at a time, and knows the first row that has not arrived."""

    def __init__(self, sink: BadEvents) -> None:
        """Hand on to `sink`."""
        self._sink = sink
        self._waiting: asyncio.Queue[tuple[int, BadEvent]] = asyncio.Queue(_BATCH * _WORKERS)
        self._pending: dict[int, None] = {}  # in order
        self._bad: list[int] = []  # of all rows not yet confirmed, in order
        self.workers = _WORKERS

    async def add(self, index: int, bad: BadEvent) -> None:
        """Take row `index`; wait while too many are on their way."""
        self._pending[index] = None
        self._bad.append(index)
        await self._waiting.put((index, bad))

    def lowest(self) -> int | None:
        """Return the first row that has not arrived."""
        return next(iter(self._pending), None)

    def before(self, confirmed: int) -> int:
        """Return how many bad rows there are before `confirmed`."""
        return bisect_left(self._bad, confirmed)

    def forget(self, confirmed: int) -> None:
        """Forget the bad rows before `confirmed`: a saved state holds their number."""
        del self._bad[: self.before(confirmed)]

    async def idle(self) -> None:
        """Wait until every one has arrived."""
        await self._waiting.join()

    async def run(self) -> None:
        """Hand on what comes, for ever."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._hand_on(batch)

    async def _hand_on(self, batch: Sequence[tuple[int, BadEvent]]) -> None:
        await self._sink.add([bad for _, bad in batch])
        for index, _ in batch:
            del self._pending[index]
            self._waiting.task_done()
