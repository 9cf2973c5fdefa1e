"""Keeping a daemon running, with small programs in Java's place."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from detector.kcl.children import read_children
from detector.kcl.runfiles import RunFiles, write_run_files
from detector.kcl.supervisor import Backoff, Ending, Supervisor
from detector.settings import DetectorSettings
from servicekit.errors import RetryableError
from servicekit.health import Health
from tests.emulator import stop_group, wait_until

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEPS
CHILD = """
import signal, sys, time
from pathlib import Path
from detector.kcl.children import registered
folder = Path("children")
def leave(*_):
    Path("drained").touch()
    raise SystemExit
signal.signal(signal.SIGTERM, leave)
with registered(folder) as registration:
    registration.initialized("s-0")
    registration.handled()
    time.sleep(600)
"""
WITH_CHILDREN = f"""
import subprocess, sys
children = [subprocess.Popen([sys.executable, "-c", {CHILD!r}]) for _ in range(2)]
[child.wait() for child in children]
"""


class Supervised:
    """A supervisor of a Python program, and what it tells."""

    def __init__(
        self,
        folder: Path,
        program: str,
        seed: Callable[[], list[str]] = list,
        grace: float = 10,
        longest_pause: float = 30,
    ) -> None:
        self.files: RunFiles = write_run_files(DetectorSettings(run_dir=folder / "run"))
        self.endings: list[Ending] = []
        self.ended_children: list[int] = []
        self.stop = asyncio.Event()
        self.supervisor = Supervisor(
            command=[sys.executable, "-c", program],
            files=self.files,
            seed=seed,
            grace_seconds=grace,
            health=Health(timedelta(seconds=15)),
            on_restart=self.endings.append,
            on_child_end=self.ended_children.append,
            backoff=Backoff(shortest=0.05, longest=longest_pause),
        )

    async def run_until(self, true: Callable[[], bool]) -> None:
        """Run it until `true`, then stop it."""
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run(self.stop))
            while not true():  # noqa: ASYNC110 - what is waited for are processes
                await asyncio.sleep(0.02)
            self.stop.set()

    async def is_ready(self) -> bool:
        """Return whether daemon and children are."""
        with suppress(RuntimeError):
            await self.supervisor.check_daemon()
            await self.supervisor.check_children()
            return True
        return False

    def family(self) -> list[psutil.Process]:
        """Return the leash, the daemon and its children."""
        every = psutil.Process().children(recursive=True)
        return [each for each in every if _folder(each) == str(self.files.folder)]

    def shards(self) -> int:
        """Return how many children live and know their shard."""
        return sum(child.alive and bool(child.shard_id) for child in read_children(self.files.children))


async def test_a_daemon_that_ends_is_started_again_and_again(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, "raise SystemExit(3)")
    await supervised.run_until(lambda: len(supervised.endings) >= 3)
    assert set(supervised.endings) == {Ending.DAEMON_EXITED}


async def test_a_daemon_that_keeps_ending_is_an_error_and_one_end_is_none(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, "raise SystemExit(3)", longest_pause=0.5)
    with capture_logs() as logged:
        await supervised.run_until(lambda: len(supervised.endings) >= 3)
    told = [line["event"] for line in logged if line["event"] in ("kcl_daemon_ended", "kcl_daemon_keeps_ending")]
    assert told[:4] == ["kcl_daemon_ended", "kcl_daemon_ended", "kcl_daemon_keeps_ending", "kcl_daemon_ended"]
    assert {line["log_level"] for line in logged if line["event"] == "kcl_daemon_keeps_ending"} == {"error"}


async def test_no_daemon_starts_before_the_leases_are_seeded(tmp_path: Path) -> None:
    tries: list[int] = []

    def seed() -> list[str]:
        tries.append(len(supervised.family()))
        if len(tries) < 3:
            msg = "no stream yet"
            raise RetryableError(msg)
        return ["s-0"]

    supervised = Supervised(tmp_path, SLEEPS, seed)
    await supervised.run_until(lambda: len(tries) == 3 and len(supervised.family()) == 2)
    assert (tries, supervised.endings, supervised.family()) == ([0, 0, 0], [], [])


async def test_a_daemon_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, STUBBORN, grace=0.5)
    await supervised.run_until(lambda: len(supervised.family()) == 2)
    assert supervised.family() == []


async def test_when_a_child_is_killed_the_others_end_in_order_and_the_daemon_starts_anew(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, WITH_CHILDREN)
    killed: list[int] = []

    def killed_and_replaced() -> bool:
        if supervised.shards() == 2 and not killed:
            killed.append(read_children(supervised.files.children)[0].pid)
            os.kill(killed[0], signal.SIGKILL)
        return bool(supervised.endings) and supervised.shards() == 2

    await supervised.run_until(killed_and_replaced)
    assert supervised.endings == [Ending.CHILD_KILLED]
    assert (supervised.files.folder / "drained").exists()
    assert killed[0] in supervised.ended_children
    assert supervised.family() == []


async def test_kills_at_work_do_not_make_the_next_starts_wait_longer(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, WITH_CHILDREN, longest_pause=600)
    for _ in range(20):
        supervised.supervisor.backoff.after(worked=False)  # something was wrong before, too: ten minutes would be next
    killed: set[int] = set()

    def kill_every_child_at_work() -> bool:
        for child in read_children(supervised.files.children):
            if child.worked and child.pid not in killed:
                killed.add(child.pid)
                os.kill(child.pid, signal.SIGKILL)
        return len(supervised.endings) >= 3

    await supervised.run_until(kill_every_child_at_work)
    assert len(killed) >= 3


async def test_readiness_waits_for_the_daemon_and_for_a_child_that_knows_its_shard(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, WITH_CHILDREN)
    assert not await supervised.is_ready()
    running = asyncio.create_task(supervised.supervisor.run(supervised.stop))
    async with asyncio.timeout(60):
        while not await supervised.is_ready():  # noqa: ASYNC110 - what is waited for are processes
            await asyncio.sleep(0.02)
    supervised.stop.set()
    await running
    assert not await supervised.is_ready()


@pytest.mark.parametrize("program", [SLEEPS, STUBBORN])
def test_a_daemon_and_its_children_never_outlive_their_supervisor(program: str) -> None:
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}])"
    leash = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "detector.kcl.leash", sys.executable, "-c", grandchild],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert leash.stdin is not None
        assert leash.stdout is not None
        assert leash.stdout.readline() == b"up\n"
        members = [psutil.Process(leash.pid), *psutil.Process(leash.pid).children(recursive=True)]
        assert len(members) == 3
        leash.stdin.close()  # as it is when the supervisor is gone
        assert leash.wait(10) == -signal.SIGKILL
        wait_until(lambda: not any(_runs(each) for each in members), 10, "the group to end")
    finally:
        stop_group(leash, grace_s=1)
        for pipe in (leash.stdin, leash.stdout):
            if pipe is not None:
                pipe.close()


def _folder(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return str(process.cwd())
    return ""


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
