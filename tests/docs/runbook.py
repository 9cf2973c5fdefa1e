"""Reads docs/runbook.md: which alarms it knows, and the commands it gives for each."""

import re
from dataclasses import dataclass
from typing import Final

from tests.docs.documents import ROOT

RUNBOOK: Final = ROOT / "docs" / "runbook.md"
_BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Section:
    """What one heading says; it may be about the same alarm of several services."""

    alarms: tuple[str, ...]
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of its one block."""
        (block,) = _BLOCK.findall(self.text)
        return list(block.splitlines())


def preparations() -> list[str]:
    """Return the blocks before the alarms: for AWS, for a laptop, and what may be asked in general."""
    before, _ = _parts()
    return [str(block) for block in _BLOCK.findall(before)]


def sections() -> list[Section]:
    """Return the sections of the alarms."""
    _, alarms = _parts()
    headings = re.split(r"^### (.*)\n", alarms, flags=re.MULTILINE)[1:]
    return [
        Section(tuple(re.findall(r"`([^`]+)`", heading)), text)
        for heading, text in zip(headings[::2], headings[1::2], strict=True)
    ]


def _parts() -> tuple[str, str]:
    before, _, alarms = RUNBOOK.read_text(encoding="utf-8").partition("\n## Alarms\n")
    return before, alarms
