"""The domain and servicekit run on the Pythons of Glue and of Managed Flink too: their unit tests pass there."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator import ROOT
from tests.untested import skip_promise

LIBRARIES = ("storepulse", "servicekit")
#: What their unit tests import beside them.
TOOLS = ("boto3", "httpx", "hypothesis", "jsonschema", "psutil", "pytest", "pytest-asyncio", "pytest-timeout", "uvloop")


def interpreters(version: str) -> Iterator[Path]:
    """Yield the Pythons of `version` that answer: on the path, or side by side as pyenv keeps them."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    on_path = shutil.which(f"python{version}")
    found = [*([Path(on_path)] if on_path else []), *versions.glob(f"{version}.*/bin/python")]
    for path in found:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - a Python
        if answer.stdout.startswith(f"Python {version}."):
            yield path


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_domain_and_servicekit_pass_their_unit_tests_on_python(version: str, tmp_path: Path) -> None:
    python = next(interpreters(version), None)
    if python is None:
        skip_promise(f"storepulse and servicekit on Python {version}", missing=f"python{version}")
    uv, venv = str(ROOT / ".uv/bin/uv"), str(tmp_path / "venv")
    editable = [argument for name in LIBRARIES for argument in ("--editable", f"libs/{name}")]
    for command in (
        [uv, "venv", "--quiet", "--python", str(python), venv],
        [uv, "pip", "install", "--quiet", "--constraints", "locks/workspace.txt", *editable, *TOOLS],
        [f"{venv}/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/unit/{n}" for n in LIBRARIES)],
    ):
        ended = subprocess.run(  # noqa: S603 - uv and pytest on our own code
            command, cwd=ROOT, env=os.environ | {"VIRTUAL_ENV": venv}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
