"""Starting a process in a group of its own, remembering it in a file, and ending the whole group."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from local.services import Service, child_environment, log_file
from local.settings import ROOT

SAME_START: Final = 0.005
"""Seconds within which two starts are one: a tick of the system's counter is longer."""
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """A process as written in the run directory.

    Attributes:
        pid: of the process, and of its group.
        created: when it started (`start_of`); tells it from a later process with the same id.
        boot: of the machine, in which it started (`boot_id`).
        restarts: how often it was started again.
        last_exit: exit code of the one before (negative: the signal), None for the first.
        done: a task that ended well.
        log_from: where its own part of its log begins, in bytes.
    """

    pid: int
    created: float
    boot: str = ""
    restarts: int = 0
    last_exit: int | None = None
    done: bool = False
    log_from: int = 0

    def is_alive(self) -> bool:
        """Say whether this very process still runs."""
        try:
            return self._is_it() and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def owns_group(self) -> bool:
        """Say whether the process group `pid` can only be this process's: no later process has that id."""
        if self.boot != boot_id():
            return False
        try:
            return self._is_it()
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False

    def _is_it(self) -> bool:
        return self.boot == boot_id() and abs(start_of(self.pid) - self.created) < SAME_START


def start_of(pid: int) -> float:
    """Return when a process started, in seconds; the same whenever it is asked, whatever happens to the clock.

    psutil's `create_time` is not on Linux: it is the time since boot plus the clock's idea of when that was.

    Raises:
        psutil.Error: there is no such process.
    """
    return psutil.Process(pid).create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def boot_id() -> str:
    """Return what changes when the machine starts anew; elsewhere than on Linux, where starts are times, nothing."""
    return BOOT_ID.read_text().strip() if psutil.LINUX else ""


def remember(
    run_dir: Path, name: str, pid: int, *, restarts: int = 0, last_exit: int | None = None, log_from: int = 0
) -> None:
    """Write `<name>.pid` (the number alone) and `<name>.state`; a process that is gone already is not written."""
    try:
        created = start_of(pid)
    except psutil.Error:
        return
    (run_dir / f"{name}.pid").write_text(f"{pid}\n")
    record = ProcessRecord(
        pid=pid, created=created, boot=boot_id(), restarts=restarts, last_exit=last_exit, log_from=log_from
    )
    write(run_dir, name, record)


def remember_done(run_dir: Path, name: str) -> None:
    """Write that a task ended well."""
    record = recall(run_dir, name)
    if record is not None:
        write(run_dir, name, replace(record, done=True))


def write(run_dir: Path, name: str, record: ProcessRecord) -> None:
    """Write `<name>.state` whole or not at all."""
    unfinished = run_dir / f"{name}.state.new"
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.replace(run_dir / f"{name}.state")


def recall(run_dir: Path, name: str) -> ProcessRecord | None:
    """Return what was written about a process, or None."""
    try:
        return ProcessRecord(**json.loads((run_dir / f"{name}.state").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def recall_all(run_dir: Path) -> dict[str, ProcessRecord]:
    """Return every process written in the run directory, alive or not, by name."""
    names = sorted(file.stem for file in run_dir.glob("*.state"))
    return {name: record for name in names if (record := recall(run_dir, name))}


def forget(run_dir: Path, name: str) -> None:
    """Remove what `remember` wrote."""
    for suffix in ("pid", "state"):
        (run_dir / f"{name}.{suffix}").unlink(missing_ok=True)


def spawn(service: Service, run_dir: Path) -> "subprocess.Popen[bytes]":
    """Start a service in a session, thus a process group, of its own; its output is appended to its log.

    Raises:
        OSError: when its program cannot be run.
    """
    with log_file(run_dir, service.name).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the commands are our own table
            service.command,
            cwd=ROOT,
            env=child_environment(service),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def log_size(run_dir: Path, name: str) -> int:
    """Return the bytes in a service's log, 0 when it has none."""
    file = log_file(run_dir, name)
    return file.stat().st_size if file.exists() else 0


def has_logged(run_dir: Path, name: str, text: str, *, since: int) -> bool:
    """Say whether a service's log contains `text` after its first `since` bytes."""
    file = log_file(run_dir, name)
    if not file.exists():
        return False
    with file.open("rb") as log:
        log.seek(since)
        return any(text.encode() in line for line in log)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the group that process `pid` leads or led, if any of it is left."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def end_groups(records: Iterable[tuple[ProcessRecord, float]]) -> None:
    """End processes at once, each with its group: SIGTERM, then SIGKILL after its grace in seconds."""
    pending = [(record, grace) for record, grace in records if record.owns_group()]
    started = time.monotonic()
    for record, _ in pending:
        if record.is_alive():
            signal_group(record.pid, signal.SIGTERM)
    while pending:
        waited = time.monotonic() - started
        for record, grace in list(pending):
            if not record.is_alive() or waited >= grace:
                signal_group(record.pid, signal.SIGKILL)
                pending.remove((record, grace))
        time.sleep(0.05 if pending else 0)
