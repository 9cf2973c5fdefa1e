import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from local.journal import Journal
from local.processes import ProcessRecord, recall
from local.services import Service
from local.status import status_of
from local.supervisor import Backoff, Supervisor
from tests.emulator import wait_until

QUICK = Backoff(first=0.05, longest=0.2)
FOREVER = "import time; time.sleep(600)"


def program(name: str, code: str, *, needs: tuple[str, ...] = (), once: bool = False) -> Service:
    return Service(name=name, command=(sys.executable, "-c", code), needs=needs, once=once, grace=5.0)


@contextmanager
def supervised(run_dir: Path, *services: Service) -> Iterator[None]:
    """Run a supervisor in a thread, and end it and its services."""
    stop = threading.Event()
    supervisor = Supervisor(services, run_dir, Journal("supervisor"), QUICK)
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def alive(run_dir: Path, name: str) -> ProcessRecord:
    """Return a service's record when it runs."""
    wait_until(lambda: (r := recall(run_dir, name)) and r.is_alive(), 20, f"{name} runs")
    record = recall(run_dir, name)
    assert record is not None
    return record


def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, program("it", FOREVER)):
        first = alive(tmp_path, "it")
        os.kill(first.pid, signal.SIGKILL)
        wait_until(lambda: (r := recall(tmp_path, "it")) and r.restarts == 1, 20, "a second start")
        second = alive(tmp_path, "it")
    assert second.pid != first.pid
    assert (second.restarts, second.last_exit) == (1, -signal.SIGKILL)


def test_a_service_that_ends_well_is_started_again_too(tmp_path: Path) -> None:
    with supervised(tmp_path, program("it", "pass")):
        wait_until(lambda: (r := recall(tmp_path, "it")) and r.restarts >= 2, 20, "a third start")


def test_nothing_runs_after_the_supervisor_ended(tmp_path: Path) -> None:
    with supervised(tmp_path, program("one", FOREVER), program("two", FOREVER, needs=("one",))):
        records = [alive(tmp_path, name) for name in ("one", "two")]
    assert [record.is_alive() for record in records] == [False, False]
    assert list(tmp_path.glob("*.pid")) == []


def test_what_needs_a_task_starts_after_the_task_ended_well(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    task = f"import pathlib, sys; f = pathlib.Path({str(flag)!r}); found = f.exists(); f.touch(); sys.exit(not found)"
    after = f"import pathlib, time; print(pathlib.Path({str(flag)!r}).exists(), flush=True); time.sleep(600)"
    services = (program("task", task, once=True), program("after", after, needs=("task",)))
    with supervised(tmp_path, *services):
        alive(tmp_path, "after")
        wait_until((tmp_path / "after.log").read_text, 20, "it has looked")
        record = recall(tmp_path, "task")
        states = [status.state for status in status_of(services, tmp_path)]
    assert (tmp_path / "after.log").read_text() == "True\n"
    assert record is not None
    assert (record.restarts, record.last_exit) == (1, 1)  # the first try failed
    assert states == ["done", "ready"]


def test_a_task_is_done_again_when_what_it_needed_is_started_again(tmp_path: Path) -> None:
    task = program("task", "print('done', flush=True)", needs=("base",), once=True)
    log = tmp_path / "task.log"
    with supervised(tmp_path, program("base", FOREVER), task):
        wait_until(lambda: log.exists() and log.read_text() == "done\n", 20, "the task ran")
        os.kill(alive(tmp_path, "base").pid, signal.SIGKILL)
        wait_until(lambda: log.read_text() == "done\ndone\n", 20, "the task ran again")


def test_what_needs_a_task_starts_again_when_the_task_is_done_again_and_nothing_else_does(tmp_path: Path) -> None:
    task = program("task", "pass", needs=("base",), once=True)
    needs = program("needs", FOREVER, needs=("task",))
    copes = program("copes", FOREVER)
    with supervised(tmp_path, program("base", FOREVER), task, needs, copes):
        before = [alive(tmp_path, name).pid for name in ("needs", "copes")]
        os.kill(alive(tmp_path, "base").pid, signal.SIGKILL)
        wait_until(lambda: (r := recall(tmp_path, "needs")) and r.restarts == 1, 20, "a second start")
        after = [alive(tmp_path, name).pid for name in ("needs", "copes")]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_a_service_waits_for_what_it_needs_to_answer(tmp_path: Path) -> None:
    silent = Service(name="base", command=(sys.executable, "-c", FOREVER), health_url="http://127.0.0.1:9/health")
    with supervised(tmp_path, silent, program("it", FOREVER, needs=("base",))):
        alive(tmp_path, "base")
        (status,) = status_of([silent], tmp_path)
        assert (status.state, status.detail) == ("not ready", "does not answer")
        assert recall(tmp_path, "it") is None


def test_a_program_that_cannot_be_run_is_reported_and_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with supervised(tmp_path, Service(name="it", command=(str(tmp_path / "missing"),))):
        wait_until(lambda: capfd.readouterr().err.count("service_not_started"), 20, "a report")
        wait_until(lambda: capfd.readouterr().err.count("service_not_started"), 20, "another")


def test_each_wait_before_a_start_is_twice_the_last_up_to_the_longest() -> None:
    assert [Backoff().delay(failures) for failures in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_service_that_cannot_be_written_down_as_on_a_full_disk_is_not_left_running(tmp_path: Path) -> None:
    (tmp_path / "it.state.new").mkdir()  # in the way of what is to be written
    note = f"import os; print(os.getpid(), file=open({str(tmp_path / 'pids')!r}, 'a'), flush=True); {FOREVER}"
    with supervised(tmp_path, program("it", note), program("other", FOREVER)):
        alive(tmp_path, "other")
    pids = tmp_path / "pids"
    started = [int(pid) for pid in pids.read_text().split()] if pids.exists() else []
    assert not [pid for pid in started if psutil.pid_exists(pid)]
