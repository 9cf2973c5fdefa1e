"""A run ends with one line that names what this machine could not test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator import ROOT
from tests.untested import ALL_TESTED, last_line

SUITE = """
from tests.untested import needs, skip_promise

def test_runs(): pass
def test_one(): skip_promise("shards split", missing="Node.js")
def test_another(): skip_promise("shards split", missing="Node.js")
@needs("the job equals the model", missing="Java", there=False)
def test_marked(): pass
"""


def last_line_of(suite: str, folder: Path, *arguments: str) -> str:
    file = folder / "test_it.py"
    file.write_text(suite)
    ended = subprocess.run(  # noqa: S603 - pytest on a file of ours
        [sys.executable, "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml", "-p", "tests.conftest", *arguments, file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()[-1]


@pytest.mark.parametrize("arguments", [(), ("--numprocesses", "2")])
def test_a_run_ends_with_one_line_that_names_each_promise_and_what_is_missing_for_it(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert last_line_of(SUITE, tmp_path, *arguments) == (
        "NOT TESTED on this machine: shards split [missing: Node.js]; the job equals the model [missing: Java]"
    )


def test_a_run_that_skips_nothing_says_so(tmp_path: Path) -> None:
    assert last_line_of("def test_runs(): pass", tmp_path) == ALL_TESTED


def test_a_reason_of_many_lines_stays_in_the_one_line() -> None:
    assert last_line(["a [missing: npm\n said\tno]"]) == "NOT TESTED on this machine: a [missing: npm said no]"


def test_no_test_is_skipped_in_another_way() -> None:
    other = re.compile(r"pytest\.skip\(|mark\.skip(if)?\(|importorskip\(")
    found = [path for path in (ROOT / "tests").rglob("*.py") if other.search(path.read_text())]
    assert found == [ROOT / "tests" / "untested.py"], (
        "skip by tests.untested: it says what is missing, and for which promise"
    )
