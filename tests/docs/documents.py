"""Reads the documents: their commands, their links, their headings."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PLACES = (
    "*.md",
    "docs/**/*.md",
    "libs/*/*.md",
    "services/*/*.md",
    "local/*.md",
    "infra/*.md",
    "bench/*.md",
    "data/**/*.md",
)
_FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)[^)]*\)|(?:src|href)=\"(?P<attribute>[^\"]+)\"")
_COMMENT = re.compile(r"\s+#\s.*$|^#.*$")


def documents() -> list[Path]:
    """Return every document, as a path from the root."""
    return sorted({path.relative_to(ROOT) for place in _PLACES for path in ROOT.glob(place)})


def commands(document: Path) -> Iterator[str]:
    """Yield the shell commands of a document: each line of a `sh` block, each `$ ` line of a `console` block."""
    for fence in _FENCE.finditer(_text(document)):
        lines = fence["body"].replace("\\\n", " ").splitlines()
        if fence["language"] == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        elif fence["language"] != "sh":
            continue
        yield from filter(None, (" ".join(_COMMENT.sub("", line).split()) for line in lines))


def unnamed_fences(document: Path) -> int:
    """Count the blocks that name a shell by another word, and would escape `commands`."""
    return sum(fence["language"] in {"bash", "shell", "zsh"} for fence in _FENCE.finditer(_text(document)))


def make_targets_named(document: Path) -> set[str]:
    """Return the targets in phrases like `make demo` outside of blocks."""
    prose = _FENCE.sub("", _text(document))
    return set(re.findall(r"`make (?:-k |[A-Z]+=\S+ )*([a-z][a-z-]*)[^`]*`", prose))


def links(document: Path) -> Iterator[str]:
    """Yield the document's relative links and pictures."""
    for found in _LINK.finditer(re.sub(r"`[^`]*`", "", _FENCE.sub("", _text(document)))):
        target = found["target"] or found["attribute"]
        if not re.match(r"\w+:", target):
            yield target


def anchors(document: Path) -> set[str]:
    """Return what `#...` can point to: the headings, in lower case, spaces as hyphens, without punctuation."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", _text(document)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _text(document: Path) -> str:
    return (ROOT / document).read_text(encoding="utf-8")
