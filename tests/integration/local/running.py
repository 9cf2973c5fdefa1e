"""The local account's command line, as `make` runs it."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.emulator import ROOT, free_port, start_group

PYTHON = ROOT / "local" / ".venv" / "bin" / "python"


def environment(run_dir: Path, *, port: int | None = None) -> dict[str, str]:
    """Return an environment in which everything has a free port and its own run directory."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCAL_"))},
        "LOCAL_EMULATOR_PORT": str(port or free_port()),
        "LOCAL_PRODUCER_PORT": str(free_port()),
        "LOCAL_WINDOWER_PORT": str(free_port()),
        "LOCAL_DETECTOR_PORT": str(free_port()),
        "LOCAL_RUN_DIR": str(run_dir),
        "COLUMNS": "200",
    }


def local(*arguments: str, env: Mapping[str, str], timeout: float = 120.0) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    command = [str(PYTHON), "-m", "local", *arguments]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )


def start(*arguments: str, env: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a command that runs until it is stopped; its output is appended to `log`."""
    return start_group([str(PYTHON), "-m", "local", *arguments], log, env)


def one_line(text: str) -> str:
    """Return the only line of `text`."""
    (line,) = text.splitlines()
    return line


def only(names: Iterable[str]) -> list[str]:
    """Return the options that choose services."""
    return [f"--only={name}" for name in names]
