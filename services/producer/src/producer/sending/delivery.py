"""One request, until every record of it is in the stream once."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from producer.errors import DeliveryError, UnansweredError, UnreachableError
from producer.ports import Entry, Put, Stream
from producer.progress import Progress
from servicekit.backoff import Backoff
from servicekit.clock import Clock
from servicekit.logs import get_logger

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
SETTLE_S: Final = 1.0
"""How long a request whose answer is lost is given to be carried out, once Kinesis answers again."""
SKEW: Final = timedelta(seconds=60)  # between this machine's clock and that of Kinesis

_log = get_logger(__name__)
_T = TypeVar("_T")


class _Identified(msgspec.Struct):
    event_id: str = ""


_identify: Final = msgspec.json.Decoder(_Identified).decode
Sleep = Callable[[float], Any]
Accepted = Callable[[Sequence[tuple[Entry, Put]]], None]
"""Told of the records of a request that Kinesis took, in order."""


async def answered(ask: Callable[[], Awaitable[_T]], clock: Clock, sleep: Sleep, give_up_after_s: float) -> _T:
    """Return what Kinesis answers to a question, asked again until it does.

    Raises:
        DeliveryError: it did not for so long.
    """
    began = clock.monotonic()
    while True:
        try:
            return await ask()
        except (UnansweredError, UnreachableError) as error:
            if clock.monotonic() - began > give_up_after_s:
                msg = f"Kinesis does not answer: {error}"
                raise DeliveryError(msg) from error
            await sleep(1.0)


async def event_ids(stream: Stream, after: Mapping[str, str], since: datetime, until: datetime) -> set[bytes]:
    """Return the event ids, as bytes, of the records in the tail of `stream`; see `Stream.tail`."""
    found: set[bytes] = set()
    async for payload in stream.tail(after, since, until):
        try:
            found.add(bytes.fromhex(_identify(payload).event_id))
        except (ValueError, RecursionError):
            continue  # not one of ours
    return found


@dataclass(kw_only=True)
class Delivery:
    """Puts records, and again what was refused or lost, with pauses that grow and vary."""

    stream: Stream
    clock: Clock
    progress: Progress
    give_up_after_s: float
    in_flight: asyncio.Semaphore
    sleep: Sleep = asyncio.sleep
    _random: random.Random = field(default_factory=random.Random)

    async def deliver(
        self,
        entries: Sequence[Entry],
        after: Callable[[], Mapping[str, str]],
        accepted: Accepted,
    ) -> None:
        """Return when every one of `entries` is in the stream.

        Args:
            entries: at most as many as a request takes.
            after: positions behind which they are, if they are there.
            accepted: called with those that Kinesis took, in order.

        Raises:
            DeliveryError: Kinesis refuses for good, or nothing was accepted for too long.
        """
        since = self.clock.now() - SKEW
        progressed, todo, unsure = self.clock.monotonic(), entries, False
        backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, self._random)
        while todo:
            try:
                if unsure:
                    todo, unsure = await self._missing(todo, after(), since), False
                    if not todo:
                        return
                left = await self._put(todo, accepted)
                if len(left) < len(todo):
                    progressed = self.clock.monotonic()
                    backoff.reset()
                reason = "refused" if left else ""
                todo = left
            except UnansweredError as error:
                unsure, reason = True, str(error)
            except UnreachableError as error:
                reason = str(error)
            if todo:
                await self._pause(backoff, len(todo), reason, self.clock.monotonic() - progressed)

    async def _put(self, entries: Sequence[Entry], accepted: Accepted) -> list[Entry]:
        """Put `entries` once and return those that were refused."""
        async with self.in_flight:
            self.progress.requests += 1
            answers = await self.stream.put(entries)
        refused = [entry for entry, put in zip(entries, answers, strict=True) if put.error]
        accepted([(entry, put) for entry, put in zip(entries, answers, strict=True) if not put.error])
        return refused

    async def _missing(self, entries: Sequence[Entry], after: Mapping[str, str], since: datetime) -> list[Entry]:
        """Return those of `entries` that the request without an answer did not bring into the stream."""
        await self.stream.shards()  # it answers again: now what it still holds of the lost request can be carried out
        await self.sleep(SETTLE_S)
        there = await event_ids(self.stream, after, since, self.clock.now() + SKEW)
        missing = [entry for entry in entries if not entry.event_id or bytes.fromhex(entry.event_id) not in there]
        self.progress.sent += len(entries) - len(missing)
        _log.warning("lost_answer_checked", records=len(entries), already_there=len(entries) - len(missing))
        return missing

    async def _pause(self, backoff: Backoff, records: int, reason: str, stuck_s: float) -> None:
        if stuck_s > self.give_up_after_s:
            msg = f"Kinesis has taken nothing for {stuck_s:.0f} s: {reason}"
            raise DeliveryError(msg)
        self.progress.retries += records
        _log.debug("put_again", records=records, attempt=backoff.tries + 1, reason=reason[:300])
        await self.sleep(backoff.next_s())
