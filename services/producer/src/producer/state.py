"""What is kept of a replay, so that it can go on after a kill."""

import msgspec

from storepulse.instants import parse_instant


class ReplayState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a replay is known to have come. Schema ``replay-state/1``.

    All rows before `confirmed` are in the stream, or in the bad-events queue. Of the rows after it, some may be in the
    stream too: behind `positions`, where a resumed replay looks for them.
    """

    version: int = 1
    replay_id: str
    fingerprint: str  # of the options and the files
    options: str  # JSON, as given
    confirmed: int = 0  # rows, bad ones and planted ones included
    bad: int = 0  # of these
    shift: int | None = None  # of the event clock, in milliseconds
    first: int | None = None  # first event time, in milliseconds since the epoch
    latest: int | None = None  # event time after which a row is a bad event
    last_stamp: int = 0  # the latest txn_timestamp sent, in milliseconds since the epoch
    positions: dict[str, str] = {}  # shard to sequence number
    since: str  # arrival time from which unconfirmed records of the other shards can be
    saved_at: str
    done: bool = False


encode_state = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ReplayState).decode


def decode_state(text: bytes) -> ReplayState:
    """Return a saved state.

    Raises:
        ValueError: `text` is none of this version.
    """
    state = _decode(text)
    if state.version != 1:
        msg = f"it is of version {state.version}; this producer reads version 1"
        raise ValueError(msg)
    parse_instant(state.since)
    parse_instant(state.saved_at)
    return state
