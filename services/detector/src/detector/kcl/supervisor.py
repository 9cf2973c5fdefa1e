"""Keeps the daemon running: seeds the leases, starts it, watches it and its children, starts it again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from detector.kcl.children import read_children
from detector.kcl.daemon import Daemon
from detector.kcl.runfiles import RunFiles
from servicekit.errors import PoisonRecordError, RetryableError
from servicekit.health import Health
from servicekit.logs import get_logger

WATCH_SECONDS: Final = 0.2
_log = get_logger(__name__)


class Ending(StrEnum):
    """Why a run of the daemon ended."""

    STOPPED = "stopped"  # we were asked to
    DAEMON_EXITED = "daemon_exited"
    CHILD_KILLED = "child_killed"


@dataclass(slots=True)
class Backoff:
    """Pauses between starts, in seconds: doubling while nothing comes of a run, short after one that handled records.

    One that is killed at its work must not wait longer each time: under a kill every ten seconds it would hardly run.
    """

    shortest: float = 0.25
    longest: float = 30.0
    _next: float = field(default=0.25, init=False)

    def after(self, *, worked: bool) -> float:
        """Return the pause after a run in which a child `worked`, or none came to it."""
        pause = self.shortest if worked else self._next
        self._next = min(pause * 2, self.longest)
        return pause


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Runs the daemon until told to stop; its health names are `kcl_daemon` and `kcl_children`."""

    command: Sequence[str]
    files: RunFiles
    seed: Callable[[], list[str]]  # blocks
    grace_seconds: float
    health: Health
    on_restart: Callable[[Ending], None]
    on_child_end: Callable[[int], None]
    backoff: Backoff = field(default_factory=Backoff)
    _daemon: Daemon | None = field(default=None, init=False)
    _known: set[int] = field(default_factory=set, init=False)
    _worked: bool = field(default=False, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the daemon running until `stop` is set, then end it and its children in order."""
        while not stop.is_set():
            self._worked = False
            if await self._seeded():
                ending = await self._run_once(stop)
                if ending is Ending.STOPPED:
                    return
                self.on_restart(ending)
            pause = self.backoff.after(worked=self._worked)
            if pause >= self.backoff.longest:
                _log.error("kcl_daemon_keeps_ending", pause_seconds=pause)
            await self._beat_while(asyncio.wait_for(stop.wait(), pause))

    async def _seeded(self) -> bool:
        try:
            shards = await asyncio.to_thread(self.seed)
        except (RetryableError, PoisonRecordError) as error:
            _log.warning("leases_not_seeded", reason=str(error))
            return False
        if shards:
            _log.info("leases_seeded", shards=shards)
        return True

    async def _run_once(self, stop: asyncio.Event) -> Ending:
        self._daemon = daemon = await Daemon.start(self.command, self.files)
        _log.info("kcl_daemon_started", pid=daemon.pid)
        try:
            ending = await self._watch(daemon, stop)
        except BaseException:
            await daemon.stop(0)
            raise
        if ending is Ending.STOPPED:
            await self._beat_while(daemon.stop(self.grace_seconds))
        else:
            _log.warning("kcl_daemon_ended", ending=ending, exit_code=daemon.exit_code)
            await self._beat_while(daemon.drain())
        self._forget_children()
        _log.info("kcl_daemon_stopped", pid=daemon.pid, exit_code=daemon.exit_code)
        return ending

    async def _watch(self, daemon: Daemon, stop: asyncio.Event) -> Ending:
        while not stop.is_set():
            self.health.beat()
            killed = self._notice_children()
            if daemon.exit_code is not None:
                return Ending.DAEMON_EXITED
            if killed:
                return Ending.CHILD_KILLED
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
        return Ending.STOPPED

    def _notice_children(self) -> bool:
        """Tell of children that ended; return whether one was killed."""
        children = read_children(self.files.children)
        alive = {child.pid for child in children if child.alive}
        for pid in (self._known | {child.pid for child in children}) - alive:
            self.on_child_end(pid)
        self._known = alive
        self._worked |= any(child.worked for child in children)
        return len(alive) < len(children)

    def _forget_children(self) -> None:
        for child in read_children(self.files.children):
            (self.files.children / str(child.pid)).unlink(missing_ok=True)
        self._notice_children()

    async def _beat_while(self, waiting: Awaitable[object]) -> None:
        """Wait for what may take long, alive all the while; running into its time limit is no error."""
        task = asyncio.ensure_future(waiting)
        while not task.done():
            self.health.beat()
            await asyncio.wait({task}, timeout=WATCH_SECONDS)
        with suppress(TimeoutError):
            await task

    async def check_daemon(self) -> None:
        """Raise RuntimeError unless the daemon runs."""
        if self._daemon is None or self._daemon.exit_code is not None:
            msg = "the KCL daemon does not run"
            raise RuntimeError(msg)

    async def check_children(self) -> None:
        """Raise RuntimeError unless a child handles a shard, and none is about to."""
        children = read_children(self.files.children)
        if not children or not all(child.alive and child.shard_id for child in children):
            msg = "no shard is handled yet"
            raise RuntimeError(msg)
