"""The platform in containers, for the demonstration: a compose project of its own, gone afterwards."""

import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from rich.console import Console

from local.demo.run import on_free_ports
from local.errors import LocalError
from local.settings import ROOT, LocalSettings, inherited_environment

UP_WITHIN: Final = 600.0  # seconds; images that are missing are built
DOWN_WITHIN: Final = 120.0
LINES_SHOWN: Final = 40


@contextmanager
def running_containers(console: Console) -> Iterator[LocalSettings]:
    """Yield the settings of a platform in containers on free ports, all of it ready; nothing of it is left afterwards.

    Raises:
        LocalError: no engine answers, or a container does not get ready.
    """
    chosen = on_free_ports(ROOT / ".run")
    environment = {"COMPOSE_PROJECT_NAME": f"storepulse-demo-{secrets.token_hex(3)}", **chosen.as_environment()}
    require_engine()
    try:
        console.print("starting the platform in containers")
        compose(environment, "up", "--wait", within=UP_WITHIN)
        yield chosen
    finally:
        with suppress(OSError):  # the terminal may be closed
            console.print("removing the containers", style="dim")
        compose(environment, "down", "--volumes", "--remove-orphans", "--timeout", "10", within=DOWN_WITHIN)


def require_engine() -> None:
    """Do nothing when a container engine with compose answers.

    Raises:
        LocalError: when none does.
    """
    for command in (("docker", "version"), ("docker", "compose", "version")):
        try:
            subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own command
        except (OSError, subprocess.CalledProcessError) as error:
            message = "No container engine answers: this needs Docker with compose v2 (`docker compose version`)."
            raise LocalError(message) from error


def compose(environment: Mapping[str, str], *arguments: str, within: float) -> None:
    """Run `docker compose`.

    Raises:
        LocalError: it failed; with the end of what it and the containers said.
    """
    done = call(environment, *arguments, within=within)
    if done.returncode != 0:
        logs = call(environment, "logs", "--no-color", "--tail", "5", within=DOWN_WITHIN).stdout
        said = [*done.stderr.splitlines()[-LINES_SHOWN:], *logs.splitlines()[-LINES_SHOWN:]]
        message = "\n  ".join([f"docker compose {' '.join(arguments)} failed:", *said])
        raise LocalError(message)


def call(environment: Mapping[str, str], *arguments: str, within: float) -> "subprocess.CompletedProcess[str]":
    """Run `docker compose` in the repository and return how it ended."""
    return subprocess.run(  # noqa: S603 - our own command
        ["docker", "compose", *arguments],  # noqa: S607 - docker is on the path
        cwd=ROOT,
        env=inherited_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
