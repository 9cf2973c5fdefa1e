"""Records whose event time is far after their arrival: one of them would move event time there for good.

Everything that came after it would be late, or wait for the other shards to get there. The comparison is with Kinesis's
own arrival time, which a record keeps, so a restart decides the same. A replay that stamps ahead says by how much, in
`replay_shift_ms`, and may run ahead by that.
"""

from collections.abc import Sequence
from typing import Final

from storepulse.activity.actions import Actions
from storepulse.failures import BadPayload, FailureKind
from storepulse.instants import format_instant

_JITTER: Final = 60_000  # milliseconds by which arrival times within a batch may go back


def allowed_ahead(replay_shift_ms: int | None, *, max_ahead: int, max_replay_ahead: int) -> int:
    """Return by how many milliseconds a record's `txn_timestamp` may be after its arrival."""
    return min(max_ahead + max(replay_shift_ms or 0, 0), max_replay_ahead)


def refuse_far_ahead(
    actions: Actions, arrivals: Sequence[int | None], *, max_ahead: int, max_replay_ahead: int
) -> None:
    """Make a bad record of each of `actions` that is further ahead of its arrival than it may be.

    Args:
        actions: a batch, changed in place.
        arrivals: when Kinesis took each record, in milliseconds since the epoch; None where that is not known.
        max_ahead: in milliseconds, for all.
        max_replay_ahead: in milliseconds, for a record of a replay, whatever it says of itself.
    """
    first, latest = arrivals[0], max(actions.times)
    if first is not None and latest <= first + min(max_ahead, max_replay_ahead) - _JITTER:
        return  # the usual case: no look at each of them
    most = {
        shift: allowed_ahead(shift, max_ahead=max_ahead, max_replay_ahead=max_replay_ahead)
        for shift in set(actions.replay_shifts)
    }
    if first is not None and latest <= first + min(most.values()) - _JITTER:
        return  # the usual case in a replay
    columns = zip(actions.times, actions.replay_shifts, arrivals, strict=True)
    for position, (time, shift, arrived) in enumerate(columns):
        if arrived is not None and time > arrived + most[shift]:
            actions.refuse(position, _far_ahead(time, arrived, most[shift]))


def _far_ahead(time: int, arrived: int, most: int) -> BadPayload:
    return BadPayload(
        FailureKind.INVALID,
        f"txn_timestamp {format_instant(time)} is more than {most // 1000} s after the record's arrival, "
        f"{format_instant(arrived)}: what comes after it would be late",
    )
