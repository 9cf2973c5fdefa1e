"""Records whose event time is far after their arrival: one of them would move event time there for good.

Everything that came after it would be late, or wait for the other shards to get there. The comparison is with Kinesis's
own arrival time, which a record keeps, so a restart decides the same.
"""

from collections.abc import Sequence
from typing import Final

from storepulse.activity.actions import NO_TIME, Actions
from storepulse.failures import BadPayload, FailureKind
from storepulse.instants import format_instant

_JITTER: Final = 60_000  # milliseconds by which arrival times within a batch may go back


def refuse_far_ahead(actions: Actions, arrivals: Sequence[int | None], most: int) -> None:
    """Make a bad record of each of `actions` that is more than `most` ahead of its arrival.

    Args:
        actions: a batch, changed in place.
        arrivals: when Kinesis took each record, in milliseconds since the epoch; None where that is not known.
        most: in milliseconds.
    """
    first = arrivals[0]
    if first is not None and max(actions.times) <= first + most - _JITTER:
        return  # the usual case: no look at each of them
    for position, (time, arrived) in enumerate(zip(actions.times, arrivals, strict=True)):
        if arrived is not None and time > arrived + most:
            actions.users[position], actions.times[position] = None, NO_TIME
            actions.bad[position] = BadPayload(
                FailureKind.INVALID,
                f"txn_timestamp {format_instant(time)} is more than {most // 1000} s after the record's arrival, "
                f"{format_instant(arrived)}: what comes after it would be late",
            )
