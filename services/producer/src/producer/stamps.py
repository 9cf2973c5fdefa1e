"""What a stream has been stamped with, and what that means for the next replay into it.

A record is late when the window of its `txn_timestamp` had ended before what the stream had shown by then. So a replay
must know what is stamped already, by whomever, and two of different clocks must not play at once.
"""

from datetime import timedelta
from typing import Final, Literal

import msgspec

from producer.errors import NotNowError
from producer.options import ReplayOptions
from storepulse.instants import format_instant, to_milliseconds

STALE_MS: Final = 30_000
"""A replay that has not said for so long that it plays was killed."""
MAX_AHEAD_MS: Final = to_milliseconds(timedelta(minutes=5))
MAX_REPLAY_AHEAD_MS: Final = to_milliseconds(timedelta(days=366))
"""How far ahead of its arrival the windower takes a record, by default: any, and one that says it is of a replay."""


class ActiveReplay(msgspec.Struct, frozen=True, kw_only=True):
    """A replay that plays, or was killed. All times are milliseconds since the epoch."""

    clock: Literal["wall", "event"]
    reached: int  # its latest txn_timestamp
    seen_at: int


class Stamps(msgspec.Struct, frozen=True, kw_only=True):
    """What all producers of one stream have stamped. Schema ``stamps/1``."""

    version: int = 1
    highest: int = 0  # of the replays that are over
    active: dict[str, ActiveReplay] = {}

    def highest_but(self, replay_id: str | None) -> int:
        """Return the latest `txn_timestamp` of all replays but one, or of all."""
        return max([self.highest, *(each.reached for name, each in self.active.items() if name != replay_id)])

    def killed(self, now: int) -> list[ActiveReplay]:
        """Return the replays that ended without a word: they may have stamped more than they said."""
        return [each for each in self.active.values() if each.seen_at + STALE_MS < now]

    def playing(self, replay_id: str, options: ReplayOptions, reached: int, now: int) -> "Stamps":
        """Return this with one replay's word that it plays; of killed ones only what they had reached is kept."""
        alive = {name: each for name, each in self.active.items() if each.seen_at + STALE_MS >= now}
        gone = [each.reached for name, each in self.active.items() if name not in alive and name != replay_id]
        before = self.active.get(replay_id)
        own = ActiveReplay(clock=options.clock, reached=max(reached, before.reached if before else 0), seen_at=now)
        return Stamps(highest=max([self.highest, *gone]), active=alive | {replay_id: own})

    def ended(self, replay_id: str, reached: int) -> "Stamps":
        """Return this without one replay that is over."""
        others = {name: each for name, each in self.active.items() if name != replay_id}
        return Stamps(highest=max(self.highest, reached), active=others)


encode_stamps: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Stamps).decode


def decode_stamps(text: bytes) -> Stamps:
    """Return saved stamps.

    Raises:
        ValueError: `text` is none of this version.
    """
    stamps = _decode(text)
    if stamps.version != 1:
        msg = f"version {stamps.version}; this producer reads version 1"
        raise ValueError(msg)
    return stamps


def open_from(highest: int, options: ReplayOptions) -> int:
    """Return the start of the first window that is still open once a stream has shown `highest`, in every shard."""
    return (highest - options.delay_ms + 1) // options.window_ms * options.window_ms


def refuse_conflict(stamps: Stamps, replay_id: str, options: ReplayOptions, *, now: int, resumed: bool) -> None:
    """Refuse to play beside another replay when one of the two goes by the event clock.

    Raises:
        NotNowError: it plays, or did until a moment ago.
    """
    for name, each in stamps.active.items():
        is_other = name != replay_id or not resumed
        if is_other and each.seen_at + STALE_MS >= now and "event" in (each.clock, options.clock):
            msg = (
                f"replay {name} plays into this stream by the {each.clock} clock, at {format_instant(each.reached)} "
                f"{(now - each.seen_at) / 1000:.0f} s ago: the two would make each other's rows late. Wait for its end "
                f"(a killed one counts as over after {STALE_MS // 1000} s), or let rows be late (--allow-late)"
            )
            raise NotNowError(msg)


def refuse_late(highest: int, first: int, options: ReplayOptions, *, now: int) -> None:
    """Refuse a replay whose first row would be late, or too far ahead.

    Args:
        highest: what the stream is stamped with.
        first: the first row's stamp.
        options: the replay's; a `base` is taken as it is.
        now: milliseconds since the epoch.

    Raises:
        NotNowError: it says when the replay can run.
    """
    if first > now + MAX_REPLAY_AHEAD_MS:
        msg = (
            f"the replay would start at {format_instant(first)}, more than {MAX_REPLAY_AHEAD_MS // 86_400_000} days "
            "ahead of now: the windower sets such records aside. Give an earlier base into a fresh stream"
        )
        raise NotNowError(msg)
    start = open_from(highest, options)
    if options.base is None and not options.allow_late and first < start:
        msg = (
            f"the stream is stamped up to {format_instant(highest)}, so rows stamped {format_instant(first)} would be "
            f"late. The wall clock can run from {format_instant(start)} on: wait until then, choose the event clock "
            "(--clock event), which starts after it, or let rows be late (--allow-late)"
        )
        raise NotNowError(msg)
