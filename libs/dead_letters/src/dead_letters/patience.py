"""How long a sink keeps trying."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from dead_letters.errors import GivenUpError, RefusedError, may_pass
from servicekit.backoff import Backoff
from servicekit.logs import get_logger

Result = TypeVar("Result")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Tries again what may pass, until it succeeds; for ever unless told otherwise."""

    give_up_after_s: float | None = None  # of all that one `DeadLetters.put` does
    stopping: Callable[[], bool] = lambda: False  # the service is to end: the next failure is the last
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

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
                if backoff.is_worth_a_line:
                    _log.warning("bad_events_delayed", doing=what, tries=backoff.tries + 1, reason=str(error)[:300])
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
