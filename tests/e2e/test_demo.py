"""`make demo`, as a newcomer calls it."""

import subprocess

import psutil
import pytest

from tests.emulator import ROOT, wait_until

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]


def test_make_demo_accounts_for_every_event_and_leaves_nothing_running() -> None:
    ended = subprocess.run(
        ["make", "demo", "SPEED=300"],  # noqa: S607 - make is on the path
        cwd=ROOT,
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
    wait_until(lambda: not left(), 10, "nothing of it runs")


def left() -> list[str]:
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if "storepulse-demo-" in line]
