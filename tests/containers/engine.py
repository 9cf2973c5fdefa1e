"""The container engine, asked through its own command line."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.emulator import ROOT, wait_until
from tests.untested import skip_promise

HEALTHY_WITHIN_S = 120.0


def docker(*arguments: str, environment: Mapping[str, str] | None = None, timeout_s: float = 120) -> str:
    """Run `docker` in the repository's root and return what it prints; its errors fail the test."""
    done = subprocess.run(  # noqa: S603 - our own command
        ["docker", *arguments],  # noqa: S607 - docker is on the path
        cwd=ROOT,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def inspect(kind: str, name: str) -> dict[str, Any]:
    """Return all that the engine knows of an image, a container or a volume."""
    (found,) = json.loads(docker(kind, "inspect", name))
    return dict(found)


@dataclass(frozen=True, slots=True)
class Container:
    """One container, by its name."""

    name: str
    service: str
    network: str

    def state(self) -> dict[str, Any]:
        """Return how it is: Running, Pid, ExitCode, OOMKilled, Health."""
        state: dict[str, Any] = inspect("container", self.name)["State"]
        return state

    def restarts(self) -> int:
        """Return how often the restart policy has brought it back."""
        return int(inspect("container", self.name)["RestartCount"])

    def is_healthy(self) -> bool:
        """Say whether it runs and its health check passes."""
        state = self.state()
        return bool(state["Running"]) and state.get("Health", {}).get("Status") == "healthy"

    def until_healthy(self) -> None:
        """Return when it runs and its health check passes."""
        try:
            wait_until(self.is_healthy, HEALTHY_WITHIN_S, f"{self.name} is healthy", 0.25)
        except TimeoutError as error:
            error.add_note(self.log_end())
            raise

    def log_end(self, lines: int = 15) -> str:
        """Return the end of its log."""
        done = subprocess.run(  # noqa: S603 - our own command
            ["docker", "logs", "--tail", str(lines), self.name],  # noqa: S607 - docker is on the path
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def stop(self) -> float:
        """Ask it to end (SIGTERM, SIGKILL after its grace) and return how many seconds it took."""
        began = time.monotonic()
        docker("stop", self.name)
        return time.monotonic() - began

    def start(self) -> None:
        """Start it again."""
        docker("start", self.name)

    def crash(self) -> None:
        """Kill its process from outside, which the engine takes for a crash, and wait until it was started again.

        `docker kill` would be taken for a wish: no restart policy applies then.
        """
        before = self.restarts()
        try:
            os.kill(int(self.state()["Pid"]), signal.SIGKILL)
        except (PermissionError, ProcessLookupError):
            skip_promise("a crashed container starts again", missing="root on the machine of the engine, to kill it")
        wait_until(lambda: self.restarts() == before + 1 and self.state()["Running"], 60, f"{self.name} again", 0.1)

    def pause(self) -> None:
        """Freeze it."""
        docker("pause", self.name)

    def unpause(self) -> None:
        """Let it go on."""
        docker("unpause", self.name)

    def cut_off(self) -> None:
        """Take it off the network: nothing reaches it, and it reaches nothing."""
        docker("network", "disconnect", self.network, self.name)

    def join_again(self) -> None:
        """Put it back under the name by which the others know it."""
        docker("network", "connect", "--alias", self.service, self.network, self.name)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in it."""
        return subprocess.run(  # noqa: S603 - our own command
            ["docker", "exec", self.name, *command],  # noqa: S607 - docker is on the path
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
