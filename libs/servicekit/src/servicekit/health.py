"""Liveness means that the loop turned lately; readiness means that each dependency answers now."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from servicekit.clock import Clock, SystemClock
from servicekit.logs import get_logger

Check = Callable[[], Awaitable[object]]
"""Asks one dependency for a sign of life; raises when there is none."""

_LONGEST_REASON = 300
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What a service says of itself; `checks` holds "ok" or the reason by each dependency's name."""

    live: bool
    ready: bool
    checks: dict[str, str]


class Health:
    """Collects a service's heartbeats and its dependencies' checks; never latches, each report is made anew."""

    def __init__(
        self,
        live_within: timedelta,
        clock: Clock | None = None,
        *,
        check_timeout: timedelta = timedelta(seconds=2),
        cache_for: timedelta = timedelta(seconds=1),
    ) -> None:
        """Count the start as the first beat.

        Args:
            live_within: a loop that has not turned for longer than this is dead; longer than its slowest turn.
            clock: where the time comes from.
            check_timeout: a check that takes longer makes its dependency unready.
            cache_for: checks run at most once in this span, however often they are asked for.
        """
        self._clock: Clock = clock or SystemClock()
        self._live_within = live_within.total_seconds()
        self._timeout = check_timeout.total_seconds()
        self._cache_for = cache_for.total_seconds()
        self._checks: dict[str, Check] = {}
        self._running: dict[str, asyncio.Task[object]] = {}
        self._turn = asyncio.Lock()
        self._results: dict[str, str] = {}
        self._checked_at: float | None = None
        self._beat_at = self._clock.monotonic()
        self._was_ready = True

    def beat(self) -> None:
        """Say that the service's loop has turned; costs a clock reading."""
        self._beat_at = self._clock.monotonic()

    def is_live(self) -> bool:
        """Return whether the last beat is recent enough."""
        return self._clock.monotonic() - self._beat_at <= self._live_within

    def add_check(self, name: str, check: Check) -> None:
        """Make readiness depend on `check`.

        Args:
            name: the dependency's name in the report.
            check: raises when the dependency does not answer. Cancelled at the time limit; one that runs in a
                thread cannot be cancelled and needs a limit of its own.

        Raises:
            ValueError: `name` is taken.
        """
        if name in self._checks:
            message = f"a check named {name!r} exists already"
            raise ValueError(message)
        self._checks[name] = check
        self._checked_at = None

    async def report(self) -> HealthReport:
        """Return the state now; the checks' results are at most a second old, and all run at once."""
        async with self._turn:
            if self._checked_at is None or self._clock.monotonic() - self._checked_at >= self._cache_for:
                self._results = await self._run_checks()
                self._checked_at = self._clock.monotonic()
        live = self.is_live()
        ready = live and all(result == "ok" for result in self._results.values())
        return self._tell_change(HealthReport(live=live, ready=ready, checks=dict(self._results)))

    async def _run_checks(self) -> dict[str, str]:
        async with asyncio.TaskGroup() as group:
            results = {name: group.create_task(self._run(name, check)) for name, check in self._checks.items()}
        return {name: result.result() for name, result in results.items()}

    async def _run(self, name: str, check: Check) -> str:
        """Run one check, but never twice at once: one that ignores its cancellation must not pile up."""
        late = self._running.get(name)
        if late is None or await _ends(late, self._timeout):
            self._running[name] = asyncio.ensure_future(_call(check))
            self._running[name].add_done_callback(_outcome)  # so that a late failure is never called unretrieved
            if await _ends(self._running[name], self._timeout):
                return _outcome(self._running.pop(name))
        return f"no answer in {self._timeout:g} s"

    def _tell_change(self, report: HealthReport) -> HealthReport:
        if report.ready != self._was_ready:
            self._was_ready = report.ready
            tell = _log.info if report.ready else _log.warning
            tell("became_ready" if report.ready else "became_unready", live=report.live, checks=report.checks)
        return report


async def _call(check: Check) -> object:
    return await check()


async def _ends(task: asyncio.Task[object], seconds: float) -> bool:
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()  # does nothing to one that is done
    return task.done()


def _outcome(task: asyncio.Task[object]) -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "ok" if error is None else f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
