"""docker-compose.yml as data, read as compose reads it, without an engine."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}")
_MEBIBYTES = {"m": 1, "g": 1024}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a container may use: `cpu` in 1/1024 of a processor and `memory` in MiB, as Fargate counts them."""

    cpu: int
    memory: int


@cache
def document() -> dict[str, Any]:
    """Return the whole file, with the default in the place of each `${VARIABLE:-default}`."""
    text = _VARIABLE.sub(lambda found: found["default"], FILE.read_text(encoding="utf-8"))
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def services() -> dict[str, dict[str, Any]]:
    """Return each service by its name."""
    found: dict[str, dict[str, Any]] = document()["services"]
    return found


def environment(service: str) -> dict[str, str]:
    """Return the variables of a service, an empty one being one that is unset."""
    given = services()[service].get("environment", {})
    return {name: "" if value is None else str(value) for name, value in given.items()}


def size(service: str) -> Size:
    """Return the limits of a service."""
    given = services()[service]
    memory = str(given["mem_limit"])
    return Size(cpu=round(float(given["cpus"]) * 1024), memory=int(memory[:-1]) * _MEBIBYTES[memory[-1]])


def variables() -> set[str]:
    """Return the variables of the caller's environment that change something in the file."""
    return {found["name"] for found in _VARIABLE.finditer(FILE.read_text(encoding="utf-8"))}
