"""One replay's dealings with what its stream is stamped with: learns it beforehand, and tells the others its own."""

from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

import msgspec

from producer.errors import DeliveryError, StateError
from producer.options import ReplayOptions
from producer.ports import StampStore, Stream
from producer.sending.delivery import SKEW
from producer.stamps import MAX_AHEAD_MS, MAX_REPLAY_AHEAD_MS, Stamps, open_from
from servicekit.clock import Clock
from servicekit.logs import get_logger
from storepulse.activity.future_timestamps import allowed_ahead
from storepulse.instants import format_instant, from_datetime, parse_instant, to_datetime

TELL_EVERY_S: Final = 5.0
RECENT: Final = (timedelta(seconds=5), timedelta(minutes=2))
"""How far back the stream is read for what others have stamped: the newest first, should the rest be too much."""
UNTOLD: Final = timedelta(seconds=150)
"""How long a replay may have gone on after its last word."""
MAX_TAIL_BYTES: Final = 64 * 1024 * 1024
_TRIES: Final = 20
_log = get_logger(__name__)


class _Stamped(msgspec.Struct):
    txn_timestamp: str
    replay_shift_ms: int | None = None


_decode: Final = msgspec.json.Decoder(_Stamped).decode


class StreamTime:
    """What is stamped, by this replay and by all others."""

    def __init__(
        self,
        replay_id: str,
        options: ReplayOptions,
        *,
        stream: Stream,
        store: StampStore,
        clock: Clock,
        notes: list[str],
    ) -> None:
        """Ask nothing yet; tell in `notes` what a person should know."""
        self._replay_id, self._options = replay_id, options
        self._stream, self._store, self._clock = stream, store, clock
        self._told_at = clock.monotonic()
        self._notes = notes

    async def known(self) -> tuple[Stamps, str | None]:
        """Return what the producers of this stream have stored, and its version; None when it cannot be had."""
        try:
            return await self._store.load()
        except StateError as error:
            self._note(f"what earlier replays stamped is not known, but for the stream's last two minutes: {error}")
            return Stamps(), None

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def note_lateness(self, highest: int, first: int) -> None:
        """Tell that rows from `first` on will be late, as the stream is stamped up to `highest`; if it is so."""
        start = open_from(highest, self._options)
        if first < start:
            self._note(
                f"the stream is stamped up to {format_instant(highest)}: rows stamped before {format_instant(start)} "
                "will be late, as it was asked for"
            )

    async def read_tail(self, stamps: Stamps) -> int:
        """Return the latest `txn_timestamp` of the stream's last minutes, and of what killed replays may have added.

        Raises:
            UnansweredError: Kinesis does not answer.
            UnreachableError: likewise.
        """
        now = self._clock.now()
        spans = [(now - span, now + SKEW) for span in RECENT]
        for killed in stamps.killed(from_datetime(now)):
            seen_at = to_datetime(killed.seen_at)
            spans.append((seen_at - SKEW, seen_at + UNTOLD))
        try:
            return max([await self._highest(since, until) for since, until in spans])
        except DeliveryError as error:
            self._note(f"what others stamped lately is not known: {error}")
            return 0

    async def _highest(self, since: datetime, until: datetime) -> int:
        highest, size, now = 0, 0, from_datetime(self._clock.now())
        async with aclosing(self._stream.tail({}, since, until)) as payloads:
            async for payload in payloads:
                highest, size = max(highest, _stamp(payload, now)), size + len(payload)
                if size > MAX_TAIL_BYTES:
                    self._note(f"{MAX_TAIL_BYTES // 2**20} MiB since {since:%H:%M:%S} were read, not all there is")
                    break
        return highest

    async def claim(self, stamps: Stamps, version: str | None, reached: int) -> bool:
        """Tell the other producers that this replay plays, from `reached` on; False when one of them was faster."""
        if version is None:
            return True
        claimed = stamps.playing(self._replay_id, self._options, reached, from_datetime(self._clock.now()))
        try:
            return await self._store.save(claimed, version)
        except StateError as error:
            self._note(f"other replays will not know what this one stamps: {error}")
            return True

    async def tell(self, reached: int) -> None:
        """Tell how far this replay has come, if that is some time ago."""
        if self._clock.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = self._clock.monotonic()
            await self._change(reached, over=False)

    async def leave(self, reached: int) -> None:
        """Tell that this replay is over."""
        await self._change(reached, over=True)

    async def _change(self, reached: int, *, over: bool) -> None:
        now = from_datetime(self._clock.now())
        try:
            for _ in range(_TRIES):
                stamps, version = await self._store.load()
                changed = (
                    stamps.ended(self._replay_id, reached)
                    if over
                    else stamps.playing(self._replay_id, self._options, reached, now)
                )
                if await self._store.save(changed, version):
                    return
        except StateError as error:
            _log.warning("stamps_not_saved", replay_id=self._replay_id, reason=str(error))


def _stamp(payload: bytes, now: int) -> int:
    """Return a record's `txn_timestamp`; 0 for what is no event, or so far ahead that it moves no window."""
    try:
        record = _decode(payload)
        stamp = parse_instant(record.txn_timestamp)
    except (ValueError, RecursionError):
        return 0
    most = allowed_ahead(record.replay_shift_ms, max_ahead=MAX_AHEAD_MS, max_replay_ahead=MAX_REPLAY_AHEAD_MS)
    return stamp if stamp <= now + most else 0
