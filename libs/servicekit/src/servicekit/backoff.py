"""How long to wait between tries."""

from random import Random
from typing import Final

_MOST_DOUBLINGS: Final = 30


class Backoff:
    """The waits of one thing that keeps failing; whoever waits, asynchronously or not, does the sleeping."""

    def __init__(self, first_s: float = 0.1, longest_s: float = 5.0, random: Random | None = None) -> None:
        """Wait about `first_s` seconds at first, twice as long each time, never over `longest_s`."""
        self.tries = 0  # that failed so far
        self._first_s, self._longest_s = first_s, longest_s
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret

    def reset(self) -> None:
        """Start again with short waits: it has worked."""
        self.tries = 0

    @property
    def is_worth_a_line(self) -> bool:
        """Whether the next wait is the 1st, 2nd, 4th, 8th, ...: an outage is no flood of log lines."""
        return self.tries & (self.tries + 1) == 0

    def next_s(self) -> float:
        """Return how long to wait now, in seconds: half to all of the doubled wait, so that many do not go in step."""
        longest = min(self._longest_s, self._first_s * 2.0 ** min(self.tries, _MOST_DOUBLINGS))
        self.tries += 1
        return longest * self._random.uniform(0.5, 1.0)
