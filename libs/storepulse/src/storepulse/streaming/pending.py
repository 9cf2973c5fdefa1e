"""Which batches may be acknowledged: those whose every window is out."""

from collections import defaultdict
from collections.abc import Collection
from typing import Generic, TypeVar

Token = TypeVar("Token")


class _Held(Generic[Token]):
    __slots__ = ("token", "windows")

    def __init__(self, token: Token, windows: int) -> None:
        self.token = token
        self.windows = windows


class PendingBatches(Generic[Token]):
    """Holds one token a batch until the last of the windows it touched is delivered."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._of: defaultdict[int, list[_Held[Token]]] = defaultdict(list)

    def hold(self, token: Token, starts: Collection[int]) -> None:
        """Keep `token` until the windows that start at `starts` are released; at least one."""
        held = _Held(token, len(starts))
        for start in starts:
            self._of[start].append(held)

    def release(self, start: int) -> list[Token]:
        """Return the tokens for which the window starting at `start` was the last to wait for."""
        done = []
        for held in self._of.pop(start, ()):
            held.windows -= 1
            if not held.windows:
                done.append(held.token)
        return done
