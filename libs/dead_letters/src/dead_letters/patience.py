"""How long a sink keeps trying."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from dead_letters.errors import GivenUpError, RefusedError, may_pass
from servicekit.backoff import Backoff
from servicekit.clock import Clock, SystemClock
from servicekit.logs import get_logger

ERROR_AFTER_S: Final = 120.0
ERROR_EVERY_S: Final = 30.0
Result = TypeVar("Result")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Tries again what may pass, until it succeeds; for ever unless told otherwise.

    What has failed for minutes is an ERROR, twice a minute: a person must look, and the alarm lasts as long as it does.
    """

    give_up_after_s: float | None = None  # of all that one `DeadLetters.put` does
    stopping: Callable[[], bool] = lambda: False  # the service is to end: the next failure is the last
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    clock: Clock = field(default_factory=SystemClock)

    async def insist(self, call: Callable[[], Awaitable[Result]], what: str) -> Result:
        """Return what `call` returns, after as many tries as it takes.

        Args:
            call: is awaited anew for each try.
            what: it does, for the log and for errors.

        Raises:
            RefusedError: a retry does not mend it.
            GivenUpError: the service stops.
            Exception: what `call` raises that is not of AWS or the network.
        """
        backoff = Backoff()
        error_at = self.clock.monotonic() + ERROR_AFTER_S
        while True:
            try:
                with _refusals(what):
                    return await call()
            except Exception as error:
                if not may_pass(error):
                    raise
                if self.stopping():
                    msg = f"{what}: given up, the service stops"
                    raise GivenUpError(msg) from error
                failure = {"doing": what, "tries": backoff.tries + 1, "reason": str(error)[:300]}
                if (now := self.clock.monotonic()) >= error_at:
                    error_at = now + ERROR_EVERY_S
                    _log.error("bad_events_delayed", **failure)
                elif backoff.is_worth_a_line:
                    _log.warning("bad_events_delayed", **failure)
            await self.sleep(backoff.next_s())


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """Turn AWS's final answers into `RefusedError`."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if may_pass(error):
            raise
        msg = f"{what}: {error}"
        raise RefusedError(msg) from error
