"""The times of a shard's polls: keeping to a rate, and telling when nothing has come for long. Pure."""

from collections import deque
from typing import Final

SILENCE_S: Final = 5.0  # without an answer, an idle shard is known to be idle no more


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


class IdleTimer:
    """Tells when a shard has been empty for `idle_s`: as long as its polls that were answered say so.

    A poll goes on where the last one ended, so an empty answer speaks for all the time since: polls that were throttled
    between the two do not matter. An outage does: who writes may have been cut off as well.
    """

    def __init__(self, idle_s: float) -> None:
        """Start with nothing known."""
        self._idle_s = idle_s
        self._since: float | None = None
        self._answered = 0.0

    def polled(self, now_s: float, *, empty: bool) -> None:
        """Note an answer at `now_s`: `empty` means no records, and none behind them."""
        self._answered = now_s
        if not empty:
            self._since = None
        elif self._since is None:
            self._since = now_s

    def restart(self) -> None:
        """Count anew from the next empty answer."""
        self._since = None

    def is_over(self, now_s: float) -> bool:
        """Tell whether the shard is idle at `now_s`: it was for long enough, by an answer of a moment ago."""
        if self._since is None or now_s - self._answered > max(SILENCE_S, self._idle_s):
            return False
        return self._answered - self._since >= self._idle_s
