"""Bounded threads for calls that wait, and patience with what may pass."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from servicekit.backoff import Backoff
from servicekit.clock import Clock, SystemClock
from servicekit.errors import RetryableError
from servicekit.logs import get_logger

ERROR_AFTER_SECONDS: Final = 120.0
ERROR_EVERY_SECONDS: Final = 30.0
T = TypeVar("T")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Tries again for as long as it takes: the kcl_checkpoint must not pass what is not done.

    The pauses double from `first` to `longest` seconds, each shortened by chance so that shards do not march in step.
    What takes minutes is an ERROR, twice a minute: a person must know, and the alarm lasts as long as the trouble.
    """

    first: float = 0.05
    longest: float = 2.0
    pause: Callable[[float], None] = time.sleep
    give_up: Callable[[], bool] = lambda: False
    clock: Clock = field(default_factory=SystemClock)

    def keep_trying(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, once it does not raise `RetryableError`.

        Raises:
            RetryableError: `give_up` said so.
        """
        backoff = Backoff(self.first, self.longest)
        started = self.clock.monotonic()
        error_at = started + ERROR_AFTER_SECONDS
        while True:
            try:
                result = call()
            except RetryableError as error:
                if self.give_up():
                    raise
                tries, reason, now = backoff.tries + 1, str(error)[:300], self.clock.monotonic()
                if now >= error_at:
                    _log.error("still_retrying", seconds=round(now - started), tries=tries, reason=reason)
                    error_at = now + ERROR_EVERY_SECONDS
                elif backoff.is_worth_a_line:
                    _log.warning("retrying", tries=tries, reason=reason)
                self.pause(backoff.next_s())
            else:
                if backoff.tries > 1:
                    _log.info("recovered", tries=backoff.tries + 1)
                return result


class Workers:
    """Runs calls at the same time, a few at once, each with `patience`."""

    def __init__(self, threads: int, patience: Patience | None = None) -> None:
        """Start no thread before it is needed.

        Args:
            threads: the most calls at once; with 1 they run one after the other in the caller's thread.
            patience: how each call's retries go.
        """
        self._patience = patience or Patience()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker") if threads > 1 else None

    def run(self, calls: Iterable[Callable[[], T]]) -> Sequence[T]:
        """Run `calls`, started in their order, and return their results in that order when all have ended.

        Raises:
            Exception: what the first failed call raised; the others have ended too.
        """
        if self._pool is None:
            return [self._patience.keep_trying(call) for call in calls]
        futures = [self._pool.submit(self._patience.keep_trying, call) for call in calls]
        for future in futures:
            future.exception()
        return [future.result() for future in futures]

    def close(self) -> None:
        """End the threads; do not wait for calls that hang."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
