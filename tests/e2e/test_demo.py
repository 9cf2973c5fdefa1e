"""`make demo`, as a newcomer calls it."""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.emulator import ROOT, wait_until

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]


def test_make_demo_accounts_for_every_event_and_leaves_nothing_running(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["make", "demo", "SPEED=300"],  # noqa: S607 - make is on the path
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "every event is accounted for, every fast bot was found" in ended.stdout
    assert "16,241 counted + 5 bad + 2 late = 16,248" in ended.stdout
    assert "alert: bot-night-1" in ended.stdout
    wait_until(lambda: not left(tmp_path), 10, "nothing of it runs")
    assert not list(tmp_path.glob("storepulse-demo-*"))


def left(folder: Path) -> list[psutil.Process]:
    """Return what still runs for a demo that kept its files in `folder`: each process was told where."""
    return [process for process in psutil.process_iter() if runs_in(process, folder)]


def runs_in(process: psutil.Process, folder: Path) -> bool:
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get("TMPDIR") == str(folder)
    except psutil.Error:
        return False
