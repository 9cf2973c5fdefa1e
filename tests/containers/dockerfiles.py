"""The Dockerfiles of the repository, and what each image is to be made of."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.emulator import ROOT

SERVICES = tuple(sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")))


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """One Dockerfile, its path from the root."""

    path: str

    @property
    def text(self) -> str:
        """The file, lines joined where a backslash goes on."""
        return (ROOT / self.path).read_text(encoding="utf-8").replace("\\\n", " ")

    @property
    def last_stage(self) -> str:
        """What the image itself is made by, the stages that its last one goes on from included."""
        stages = {each.partition("\n")[0]: each for each in re.split(r"^FROM ", self.text, flags=re.MULTILINE)[1:]}
        names = {head.partition(" AS ")[2]: head for head in stages if " AS " in head}
        head = list(stages)[-1]
        text = stages[head]
        while (base := head.split(" ")[0]) in names:
            head = names[base]
            text = stages[head] + text
        return text

    @property
    def ignored(self) -> list[str]:
        """The patterns of its ignore file, in order."""
        lines = (ROOT / f"{self.path}.dockerignore").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    @property
    def admitted(self) -> set[str]:
        """The paths that its build sees."""
        return {pattern[1:] for pattern in self.ignored if pattern.startswith("!")}

    def instruction(self, name: str) -> str:
        """Return what follows the last `name` of the last stage."""
        return str(re.findall(rf"^{name}\s+(.*)$", self.last_stage, re.MULTILINE)[-1])


DOCKERFILES = tuple(
    Dockerfile(str(path.relative_to(ROOT)))
    for path in sorted([*ROOT.glob("services/*/Dockerfile"), *ROOT.glob("*/Dockerfile")])
)


def members(service: str) -> set[str]:
    """Return the folders of this repository that a service is made of: its own, and each library it needs."""
    folders = {path.parent.name: path.parent for path in ROOT.glob("libs/*/pyproject.toml")}
    folders[service] = ROOT / "services" / service
    found: set[str] = set()
    wanted = [service]
    while wanted:
        name = wanted.pop()
        found.add(str(folders[name].relative_to(ROOT)))
        needed = (re.split(r"[^\w-]", each)[0] for each in _dependencies(folders[name]))
        wanted += [each for each in needed if each in folders and str(folders[each].relative_to(ROOT)) not in found]
    return found


def _dependencies(folder: Path) -> list[str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies: list[str] = project["dependencies"]
    return dependencies


def pins(lock: str) -> set[str]:
    """Return each `name==version` of a lock."""
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w.-]+==[\w.]+)", text, re.MULTILINE))
