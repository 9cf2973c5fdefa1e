import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local.processes import (
    ProcessRecord,
    boot_id,
    end_groups,
    forget,
    recall,
    recall_all,
    remember,
    remember_done,
    spawn,
    start_of,
)
from local.services import Service
from tests.emulator import stop_group, wait_until
from tests.untested import needs

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes of a test, ended with it."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        stop_group(process)


def record_of(run_dir: Path, name: str = "it") -> ProcessRecord:
    record = recall(run_dir, name)
    assert record is not None
    return record


def run(program: str, run_dir: Path, started: list["subprocess.Popen[bytes]"]) -> ProcessRecord:
    """Start a Python program, wait until it has printed something, and return its record."""
    service = Service(name="it", command=(sys.executable, "-c", program))
    process = spawn(service, run_dir)
    started.append(process)
    remember(run_dir, "it", process.pid)
    wait_until((run_dir / "it.log").read_text, 20, "the program runs")
    return record_of(run_dir)


def members(group: int) -> list[int]:
    """Return the living processes of a group."""
    alive = (p.pid for p in psutil.process_iter(["status"]) if p.info["status"] != psutil.STATUS_ZOMBIE)
    return [pid for pid in alive if group_of(pid) == group]


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def test_a_running_process_is_recalled_as_alive(tmp_path: Path, started: list["subprocess.Popen[bytes]"]) -> None:
    record = run("import time; print('up', flush=True); time.sleep(60)", tmp_path, started)
    assert record.is_alive()
    assert int((tmp_path / "it.pid").read_text()) == record.pid
    assert group_of(record.pid) == record.pid


def test_a_process_that_ended_is_not_alive_even_when_nobody_waited_for_it(
    tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    record = run("print('up', flush=True)", tmp_path, started)
    wait_until(lambda: not record.is_alive(), 10, "the process is seen to have ended")


def test_a_later_process_with_the_same_number_is_not_taken_for_ours() -> None:
    ours = ProcessRecord(pid=os.getpid(), created=start_of(os.getpid()), boot=boot_id())
    assert ours.is_alive()
    for other in (replace(ours, created=ours.created - 1), replace(ours, created=1.0), replace(ours, boot="another")):
        assert not other.is_alive()
        assert not other.owns_group()


@needs("setting the clock does not make a process another", missing="Linux's /proc", there=psutil.LINUX)
def test_a_start_is_counted_from_the_boot_so_that_setting_the_clock_does_not_make_it_another() -> None:
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert start_of(os.getpid()) == pytest.approx(ticks / os.sysconf("SC_CLK_TCK"), abs=0.005)


def test_ending_a_process_that_is_not_ours_does_nothing(started: list["subprocess.Popen[bytes]"]) -> None:
    alien = subprocess.Popen(["sleep", "60"], start_new_session=True)  # noqa: S607 - a standard program
    started.append(alien)
    end_groups([(ProcessRecord(pid=alien.pid, created=start_of(alien.pid) - 1, boot=boot_id()), 1.0)])
    assert alien.poll() is None


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(
    tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    record = run(STUBBORN, tmp_path, started)
    begun = time.monotonic()
    end_groups([(record, 0.5)])
    assert time.monotonic() - begun >= 0.5
    assert started[0].wait(10) == -signal.SIGKILL


def test_the_children_of_a_process_end_with_it(tmp_path: Path, started: list["subprocess.Popen[bytes]"]) -> None:
    record = run(PARENT, tmp_path, started)
    assert len(members(record.pid)) == 2
    end_groups([(record, 5.0)])
    wait_until(lambda: not members(record.pid), 10, "the whole group ended")


def test_the_children_of_a_process_that_died_before_are_ended_too(
    tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    record = run(PARENT, tmp_path, started)
    os.kill(record.pid, signal.SIGKILL)
    started[0].wait(10)
    assert len(members(record.pid)) == 1
    end_groups([(record, 5.0)])
    wait_until(lambda: not members(record.pid), 10, "the orphan ended")


def test_what_is_written_about_a_process_is_read_again_until_it_is_forgotten(tmp_path: Path) -> None:
    remember(tmp_path, "me", os.getpid(), restarts=3, last_exit=-9)
    record = record_of(tmp_path, "me")
    assert (record.pid, record.restarts, record.last_exit, record.done) == (os.getpid(), 3, -9, False)
    remember_done(tmp_path, "me")
    assert recall_all(tmp_path) == {"me": replace(record, done=True)}
    forget(tmp_path, "me")
    assert recall_all(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"unknown": 1}'])
def test_a_damaged_state_file_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "it.state").write_text(content)
    assert recall(tmp_path, "it") is None
