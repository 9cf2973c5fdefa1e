"""The targets of the Makefile that need an engine, as a newcomer calls them."""

import os
import secrets
import subprocess

import httpx
import pytest

from tests.containers.engine import docker
from tests.emulator import ROOT, free_port

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def make(*targets: str, **more: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", *targets],  # noqa: S607 - make is on the path
        cwd=ROOT,
        env=environment | more,
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
    assert left("storepulse-demo-") == ""


def left(project: str) -> str:
    """Return the ids of all that a project has left."""
    kinds = ("ps --all", "network ls", "volume ls")
    return "".join(docker(*kind.split(), "--quiet", "--filter", f"name={project}") for kind in kinds)


def test_make_compose_up_leaves_the_platform_running_and_make_compose_down_nothing_of_it() -> None:
    project = f"storepulse-test-{secrets.token_hex(4)}"
    ports = {name: free_port() for name in ("emulator", "producer", "windower", "detector")}
    settings = {f"LOCAL_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    try:
        make("compose-up", COMPOSE_PROJECT_NAME=project, **settings)
        ready = httpx.get(f"http://127.0.0.1:{ports['detector']}/health/ready")
        assert ready.status_code == httpx.codes.OK
    finally:
        make("compose-down", COMPOSE_PROJECT_NAME=project, **settings)
    assert left(project) == ""


def test_make_images_shows_the_size_of_each() -> None:
    lines = [line.split() for line in make("images").splitlines()]
    sizes = {line[0].removeprefix("storepulse/"): line[-1] for line in lines if line[0].startswith("storepulse/")}
    assert set(sizes) >= {"producer", "windower", "detector", "local"}
    assert all(size.endswith("MB") for size in sizes.values())
