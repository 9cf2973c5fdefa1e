"""Every bench still works: each command in bench/ is run with ``--smoke``."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator import ROOT, stop_group

TIMEOUT_S = 240.0
BENCH = ROOT / "bench"


def is_command(path: Path) -> bool:
    """Say whether a file of bench/ is a command: it has a `main`."""
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in ast.parse(path.read_text()).body)


COMMANDS = sorted(path.stem for path in BENCH.glob("*.py") if is_command(path))
SMOKED = [name for name in COMMANDS if '"--smoke"' in (BENCH / f"{name}.py").read_text()]


@pytest.mark.emulator
@pytest.mark.parametrize("name", SMOKED)
def test_a_bench_runs_to_its_end(name: str) -> None:
    process = subprocess.Popen(  # noqa: S603 - our own bench
        [sys.executable, "-m", f"bench.{name}", "--smoke"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        stop_group(process)
    assert process.returncode == 0, output
    assert any(character.isdigit() for character in output), output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_index_names_every_bench(name: str) -> None:
    assert f"`python -m bench.{name}`" in (BENCH / "README.md").read_text()
