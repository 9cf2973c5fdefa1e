"""Keeping services running, as ECS does: what ends is started again, later each time."""

import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Final

from local.journal import Journal
from local.processes import end_groups, forget, log_size, recall, remember, remember_done, signal_group, spawn
from local.services import Service
from local.status import status_of

TICK: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the next start, in seconds.

    Attributes:
        first: after the first end.
        longest: at most; each wait is twice the one before.
        steady: a process that ran this long begins again at `first`: longer than a start that fails, and short enough
            that one which is killed again and again at its work is back at once each time.
    """

    first: float = 0.5
    longest: float = 10.0
    steady: float = 5.0

    def delay(self, failures: int) -> float:
        """Return the wait after `failures` ends in a row, from 1."""
        return float(min(self.longest, self.first * 2 ** min(failures - 1, 16)))


@dataclass(slots=True, kw_only=True)
class Child:
    """One service and what became of it."""

    service: Service
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    not_before: float = 0.0
    starts: int = 0
    failures: int = 0
    last_exit: int | None = None
    done: bool = False


class Supervisor:
    """Starts each service when what it needs is ready, and again whenever it ends."""

    def __init__(
        self, services: Iterable[Service], run_dir: Path, journal: Journal, backoff: Backoff | None = None
    ) -> None:
        """Start nothing yet."""
        self._children = {service.name: Child(service=service) for service in services}
        self._run_dir = run_dir
        self._journal = journal
        self._backoff = backoff or Backoff()

    def run(self, stop: threading.Event) -> None:
        """Keep everything running until `stop`, then end it all."""
        try:
            while not stop.is_set():
                for child in self._children.values():
                    self._tend(child)
                stop.wait(TICK)
        finally:
            self._end_all()

    def _tend(self, child: Child) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is not None:
                self._ended(child, code)
        elif not child.done and time.monotonic() >= child.not_before and self._may_start(child):
            self._start(child)

    def _may_start(self, child: Child) -> bool:
        needed = [self._children[name].service for name in child.service.needs if name in self._children]
        return all(status.is_ready for status in status_of(needed, self._run_dir))

    def _start(self, child: Child) -> None:
        name = child.service.name
        child.started_at = time.monotonic()
        log_from = log_size(self._run_dir, name)
        try:
            child.process = spawn(child.service, self._run_dir)
            remember(
                self._run_dir,
                name,
                child.process.pid,
                restarts=child.starts,
                last_exit=child.last_exit,
                log_from=log_from,
            )
        except OSError as error:  # no such program; or a full disk, and what is not written down nobody could end
            self._journal.error("service_not_started", name=name, reason=str(error))
            self._kill(child)
            self._wait_longer(child)
            return
        child.starts += 1
        self._journal.info("service_started", name=name, pid=child.process.pid, restarts=child.starts - 1)

    def _ended(self, child: Child, code: int) -> None:
        """Clear away what is left of its group, then plan the next start unless it was a task that ended well."""
        name = child.service.name
        if child.process is not None:
            signal_group(child.process.pid, SIGKILL)
        child.process = None
        child.last_exit = code
        child.done = child.service.once and code == 0 and self._is_up_to_date(child)
        self._journal.info("service_ended", name=name, exit_code=code, done=child.done)
        if child.done:
            remember_done(self._run_dir, name)
        else:
            self._wait_longer(child)
        self._redo_tasks_of(name)

    def _is_up_to_date(self, task: Child) -> bool:
        """Say whether what a task needed is still the same process as when it began: else it worked for nothing."""
        needed = [self._children[name] for name in task.service.needs if name in self._children]
        return all(each.done or (each.process and each.started_at <= task.started_at) for each in needed)

    def _wait_longer(self, child: Child) -> None:
        steady = time.monotonic() - child.started_at >= self._backoff.steady
        child.failures = 1 if steady else child.failures + 1
        child.not_before = time.monotonic() + self._backoff.delay(child.failures)

    def _redo_tasks_of(self, name: str) -> None:
        """Run a task again that needed a service which has ended: a new emulator is empty."""
        for child in self._children.values():
            if child.service.once and name in child.service.needs and child.done:
                child.done = False
                forget(self._run_dir, child.service.name)
                self._kill_what_needs(child.service.name)

    def _kill_what_needs(self, task: str) -> None:
        """End each process whose task is to be done again: it knows positions and leases of an account that is gone."""
        for child in self._children.values():
            if task in child.service.needs and child.process is not None:
                signal_group(child.process.pid, SIGKILL)

    def _end_all(self) -> None:
        """End what needs others first, then what they needed."""
        for wave in (True, False):
            names = [name for name, child in self._children.items() if bool(child.service.needs) is wave]
            records = [(recall(self._run_dir, name), self._children[name].service.grace) for name in names]
            end_groups((record, grace) for record, grace in records if record is not None)
            for name in names:
                self._kill(self._children[name])
                forget(self._run_dir, name)
        self._journal.info("everything_ended")

    def _kill(self, child: Child) -> None:
        """End what is left of a service at once."""
        if child.process is not None:
            signal_group(child.process.pid, SIGKILL)
            child.process.wait()
            child.process = None
