"""Keeping to a rate: Kinesis allows five GetRecords calls a second and shard."""

from collections import deque


class Pacer:
    """At most `per_s` turns in any second; rates under one a second are kept by their spacing."""

    def __init__(self, per_s: float) -> None:
        """Allow `per_s` turns a second."""
        self._turns: deque[float] = deque(maxlen=max(1, int(per_s)))
        self._window_s = max(1.0, 1 / per_s)

    def wait_s(self, now_s: float) -> float:
        """Take a turn at `now_s` (monotonic seconds) or as soon as allowed; return the seconds to wait for it."""
        full = len(self._turns) == self._turns.maxlen
        turn = max(now_s, self._turns[0] + self._window_s) if full else now_s
        self._turns.append(turn)
        return turn - now_s
