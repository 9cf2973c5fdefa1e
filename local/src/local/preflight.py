"""What this machine must have before anything is started; each failure is one line."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from local import ports
from local.errors import LocalError

MEBIBYTE: Final = 1024 * 1024
DISK_NEEDED: Final = 1024 * MEBIBYTE
MEMORY_NEEDED: Final = 700 * MEBIBYTE
"""Measured: emulator 80 MB, windower 170 MB, detector with its daemon 200-420 MB."""


def require_python(python: Path) -> None:
    """Do nothing when the environment that `python` belongs to exists.

    Raises:
        LocalError: saying how to make it.
    """
    if not python.exists():
        message = f"{python} is missing: the environments are not set up. Run `make setup`, which needs Python 3.11."
        raise LocalError(message)


def require_disk(directory: Path, *, free: int | None = None) -> None:
    """Do nothing when a gibibyte is `free` (asked of the system when None) where `directory` is.

    Raises:
        LocalError: saying how much is left.
    """
    free = shutil.disk_usage(directory).free if free is None else free
    if free < DISK_NEEDED:
        message = f"The disk is nearly full: {free // MEBIBYTE} MiB are free at {directory}, 1024 MiB are needed."
        raise LocalError(message)


def require_memory(*, available: int | None = None) -> None:
    """Do nothing when the services fit in what is `available` (asked of the system when None).

    Raises:
        LocalError: saying how much is left.
    """
    available = psutil.virtual_memory().available if available is None else available
    if available < MEMORY_NEEDED:
        needed = MEMORY_NEEDED // MEBIBYTE
        message = f"Too little memory: {available // MEBIBYTE} MiB are available, {needed} MiB are needed."
        raise LocalError(message)


def require_ports(wanted: Mapping[str, int]) -> None:
    """Do nothing when each port is free; `wanted` is by service.

    Raises:
        LocalError: naming the port, who holds it and the variable that moves it.
    """
    for service, port in wanted.items():
        remedy = f"Stop it (`make down` when it is an earlier run), or move ours with LOCAL_{service.upper()}_PORT."
        ports.require_free(port, needed_by=f"the {service}", remedy=remedy)
