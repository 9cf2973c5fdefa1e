"""Finds every regular expression of the product in its source, and how long each takes."""

import ast
import itertools
import re
import time
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from tests.emulator import ROOT

FOLDERS = ("libs/*/src", "services/*/src", "local/src", "flink")
FUNCTIONS = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
SIZE = 5_000  # characters
FLOOR_S = 0.005  # a pattern that reads twice SIZE in less is not quadratic: that takes a tenth of a second
RATIO = 3.0
PIECES = (*"aA0 \t\n.,:;=-_/@\"'{}[]()!#&+$\\éZT", "://", "secret", "token=", "AKIA", "!{", "1:", "0.", 'version "')


class Pattern(NamedTuple):
    """A regular expression, and where it is written."""

    place: str
    text: str
    flags: int = 0


def patterns() -> list[Pattern]:
    """Return all of them: arguments of `re`'s functions, and `pattern=` of msgspec, pydantic and FastAPI.

    Raises:
        ValueError: one is made of more than literals and constants, so that it cannot be tried.
    """
    files = sorted(
        path
        for folder in FOLDERS
        for path in ROOT.glob(f"{folder}/**/*.py")
        if not any(part.startswith(".") or part in {"target", "build"} for part in path.relative_to(ROOT).parts)
    )
    return [found for path in files for found in of_source(path.read_text(), str(path.relative_to(ROOT)))]


def of_source(source: str, name: str) -> Iterator[Pattern]:
    """Yield the patterns of one module's source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "re":
            msg = f"{name}:{node.lineno}: write `import re`, so that its patterns are found"
            raise ValueError(msg)
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "pattern"]
        if _is_of_re(node.func, FUNCTIONS):
            given += node.args[:1]
        for each in given:
            place = f"{name}:{node.lineno}"
            yield Pattern(place, _text(each, name, place), _flags(node))


def _text(node: ast.expr, name: str, place: str) -> str:
    """Return the pattern that an expression of a module makes of literals and of the module's own constants."""
    try:
        names = {} if isinstance(node, ast.Constant) else vars(import_module(_module(name)))
        return str(eval(compile(ast.Expression(node), name, "eval"), names))  # noqa: S307 - our own source
    except (ImportError, NameError) as error:
        msg = f"{place}: the pattern is neither a literal nor made of its module's constants: {error}"
        raise ValueError(msg) from error


def _module(name: str) -> str:
    return name.removesuffix(".py").rpartition("src/")[2].replace("/", ".")


def _is_of_re(node: ast.expr, names: set[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "re"
        and node.attr in names
    )


def _flags(call: ast.Call) -> int:
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "flags")]
    names = {flag.name for flag in re.RegexFlag} - {None}
    found = [node for each in given for node in ast.walk(each) if isinstance(node, ast.Attribute)]
    return sum(getattr(re, node.attr) for node in found if _is_of_re(node, {str(name) for name in names}))


def slowest(pattern: Pattern) -> tuple[float, str]:
    """Return how many times as long a text takes at twice its length, and of what it is: the first that is too slow."""
    compiled = re.compile(pattern.text, pattern.flags)
    own = {piece for piece in re.split(r"[^\w@ -]+", pattern.text) if piece}  # the words that it looks for
    pieces = dict.fromkeys([*PIECES, *sorted(own)[:12]])
    units = [*pieces, *(left + right for left, right in itertools.product(pieces, repeat=2) if left != right)]
    ratios = ((_ratio(compiled, unit), unit) for unit in units)
    return next((found for found in ratios if found[0] > RATIO), (0.0, ""))


def _ratio(compiled: "re.Pattern[str]", unit: str) -> float:
    once, twice = ((unit * (size // len(unit) + 1))[:size] + "\x01" for size in (SIZE, 2 * SIZE))
    if _seconds(compiled, twice) < FLOOR_S:
        return 0.0
    ratios = []
    for _ in range(3):  # a busy machine may spoil one try; it does not spoil all of them the same way
        ratios.append(_least(compiled, twice) / _least(compiled, once))
        if ratios[-1] <= RATIO:
            break
    return min(ratios)


def _least(compiled: "re.Pattern[str]", text: str) -> float:
    return min(_seconds(compiled, text) for _ in range(3))


def _seconds(compiled: "re.Pattern[str]", text: str) -> float:
    began = time.process_time()
    compiled.fullmatch(text)
    for _ in compiled.finditer(text):
        pass
    return time.process_time() - began
