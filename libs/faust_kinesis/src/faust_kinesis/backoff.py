"""Waiting between tries: exponential, with jitter, logged at first and then now and again."""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from faust_kinesis.errors import StoppedError, describe, is_transient

LOG_EVERY = 10  # tries
ERROR_AFTER_S = 120.0
ERROR_EVERY_S = 30.0  # twice a minute, so that an alarm on errors lasts as long as the trouble

Result = TypeVar("Result")


class Backoff:
    """The waits of one thing that keeps failing; forgets them when it succeeds."""

    def __init__(self, first_s: float = 0.1, longest_s: float = 5.0, now: Callable[[], float] = time.monotonic) -> None:
        """Wait about `first_s` seconds at first, twice as long each time, never over `longest_s`."""
        self.tries = 0
        self._first_s = first_s
        self._longest_s = longest_s
        self._now = now
        self._error_at = 0.0

    def reset(self) -> None:
        """Start again with short waits: it has worked."""
        self.tries = 0

    def next_s(self) -> float:
        """Return how long to wait now, in seconds: between half and all of the doubled wait."""
        ceiling = min(self._longest_s, self._first_s * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, keeps no secret

    def level(self) -> int:
        """Return the logging level that the failure of this try is worth, NOTSET when it is worth no line.

        Once a try has failed, and at every tenth, a warning: it may pass by itself. What has failed for minutes is an
        error, again and again: a person must look.
        """
        now = self._now()
        if not self.tries:
            self._error_at = now + ERROR_AFTER_S
        if now >= self._error_at:
            self._error_at = now + ERROR_EVERY_S
            return logging.ERROR
        return logging.NOTSET if self.tries % LOG_EVERY else logging.WARNING


class Patience:
    """Repeats a call until AWS answers, however long a throttle or an outage lasts."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[None]],
        stopping: Callable[[], bool],
        log: logging.LoggerAdapter[logging.Logger] | logging.Logger,
    ) -> None:
        """Wait with `sleep`; give up once `stopping()` is true."""
        self._sleep = sleep
        self._stopping = stopping
        self._log = log

    async def insist(self, call: Callable[[], Awaitable[Result]], what: str) -> Result:
        """Return what `call` returns, after as many tries as it takes.

        Raises:
            StoppedError: the worker stops meanwhile.
            Exception: whatever `call` raises that a retry does not mend.
        """
        backoff = Backoff()
        while True:
            try:
                return await call()
            except Exception as error:
                if not is_transient(error):
                    raise
                await self.wait(backoff, what, error)

    async def wait(self, backoff: Backoff, what: str, error: BaseException) -> None:
        """Wait before the next try of `what`, which failed with `error`.

        Raises:
            StoppedError: the worker stops.
        """
        if self._stopping():
            msg = f"{what}: given up, the worker stops"
            raise StoppedError(msg) from error
        if level := backoff.level():
            self._log.log(level, "%s: %s; trying again (try %d)", what, describe(error), backoff.tries + 1)
        await self._sleep(backoff.next_s())
