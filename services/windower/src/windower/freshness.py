"""How current what is counted is, in processing time: milliseconds since the epoch, given by the caller."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from storepulse.streaming.watermarks import BEGINNING

Token = TypeVar("Token", bound=Hashable)


class Freshness(Generic[Token]):
    """What has been taken since when without being acknowledged, and since when the watermark stands still.

    Event time cannot say it: a replay of last year's rows is current when its rows are counted as they come.
    """

    def __init__(self, idle_after: int) -> None:
        """Be at rest after `idle_after` milliseconds without a record."""
        self._idle_after = idle_after
        self._taken: dict[Token, int] = {}
        self._watermark = BEGINNING
        self._moved_at = 0
        self._busy_since = 0
        self._last_at: int | None = None

    def took(self, token: Token, now: int) -> None:
        """A batch has come, to be acknowledged as `token`."""
        if not self._is_busy(now):
            self._busy_since = now
        self._last_at = now
        self._taken[token] = now

    def acknowledged(self, tokens: Iterable[Token]) -> None:
        """Forget these batches."""
        for token in tokens:
            self._taken.pop(token, None)

    def watermark(self, watermark: int, now: int) -> None:
        """Note how far event time has come."""
        if watermark > self._watermark:
            self._watermark, self._moved_at = watermark, now

    def watermark_age(self, now: int) -> int:
        """Return for how long the watermark has stood still while records came; 0 when none come."""
        return now - max(self._moved_at, self._busy_since) if self._is_busy(now) else 0

    def oldest_unacknowledged(self, now: int) -> int:
        """Return how long ago the oldest batch was taken that is not acknowledged; 0 when every one is."""
        return now - min(self._taken.values(), default=now)

    def _is_busy(self, now: int) -> bool:
        return self._last_at is not None and now - self._last_at <= self._idle_after
