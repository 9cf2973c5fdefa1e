"""`make compose-demo`, as a newcomer calls it; `make compose-up` and `make compose-down` around a replay by hand."""

import os
import subprocess

import pytest

from tests.containers.engine import docker
from tests.emulator import ROOT

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def make(*targets: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", *targets],  # noqa: S607 - make is on the path
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_make_compose_demo_says_what_make_demo_says_and_leaves_nothing() -> None:
    said = make("compose-demo", "SPEED=500")
    assert "every event is accounted for, every fast bot was found" in said
    assert "16,241 counted + 5 bad + 2 late = 16,248" in said
    assert "alert: bot-night-1" in said
    for kind in ("ps --all", "network ls", "volume ls"):
        assert docker(*kind.split(), "--quiet", "--filter", "name=storepulse-demo-") == ""


def test_make_images_shows_the_size_of_each() -> None:
    lines = [line.split() for line in make("images").splitlines()]
    sizes = {line[0].removeprefix("storepulse/"): line[-1] for line in lines if line[0].startswith("storepulse/")}
    assert set(sizes) >= {"producer", "windower", "detector", "local"}
    assert all(size.endswith("MB") for size in sizes.values())
