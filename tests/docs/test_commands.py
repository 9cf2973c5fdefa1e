import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.commands import RUNBOOK, DryRun, Run, RunBy, Suite, proof_of
from tests.docs.documents import ROOT, commands, documents, make_targets_named, unnamed_fences

ENVIRONMENTS = ("", "local/", "infra/", "flink/")
KEEP = " ".join(f"--old-file={place}.venv/.done" for place in ENVIRONMENTS)  # this test runs in one of them
COMMANDS = sorted({command for document in documents() for command in commands(document)})


def shell(command: str) -> None:
    """Run `command` in the root, as a reader would: outside of this test's own make."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    done = subprocess.run(  # noqa: S603 - our own documents
        ["/bin/bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_documents_works_or_is_run_by_a_test(command: str) -> None:
    match proof_of(command):
        case None:
            pytest.fail(f"{command!r} is in a document; add a row to tests/docs/commands.py that proves it")
        case Run():
            shell(re.sub("^make", f"make {KEEP}", command))
        case Suite():
            for path in re.findall(r"tests/[\w/.]*", command):
                assert (ROOT / path).exists(), f"{command!r}: there is no {path}"
        case DryRun():
            shell(re.sub("^make", "make --dry-run", command))
        case RunBy(file, proof):
            assert proof in (ROOT / file).read_text(encoding="utf-8")
            if command.startswith("make"):
                shell(re.sub("^make", "make --dry-run", command))


def test_commands_that_only_the_runbooks_test_runs_are_in_the_runbook_alone() -> None:
    having = {path.name for path in documents() if any(proof_of(each) is RUNBOOK for each in commands(path))}
    assert having == {"runbook.md"}


@pytest.mark.parametrize("document", documents(), ids=str)
def test_a_document_names_only_targets_that_the_makefile_has(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert make_targets_named(document) <= targets


@pytest.mark.parametrize("document", documents(), ids=str)
def test_shell_blocks_are_named_sh_or_console(document: Path) -> None:
    assert unnamed_fences(document) == 0
