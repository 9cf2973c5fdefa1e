"""What the Dockerfiles say, held to without an engine; test_images.py looks at what comes of them."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import compose
from tests.containers.dockerfiles import DOCKERFILES, SERVICES, Dockerfile, members, pins
from tests.emulator import ROOT

EACH = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda dockerfile: dockerfile.path)
OF_SERVICES = pytest.mark.parametrize("service", SERVICES)


def of(service: str) -> Dockerfile:
    return Dockerfile(f"services/{service}/Dockerfile")


def test_every_service_has_a_dockerfile_and_compose_builds_each() -> None:
    built = {given["build"]["dockerfile"] for given in compose.services().values() if "build" in given}
    assert built == {dockerfile.path for dockerfile in DOCKERFILES} >= {of(service).path for service in SERVICES}


@EACH
def test_hadolint_finds_nothing(dockerfile: Dockerfile) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(  # noqa: S603 - of our own environment
        [hadolint, "--no-color", ROOT / dockerfile.path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@EACH
def test_a_base_is_an_argument_so_that_a_digest_can_be_given_for_it(dockerfile: Dockerfile) -> None:
    bases = re.findall(r"^FROM (\S+)", dockerfile.text, re.MULTILINE)
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", dockerfile.text, re.MULTILINE))
    stages = set(re.findall(r"^FROM \S+ AS (\w+)", dockerfile.text, re.MULTILINE))
    for base in bases:
        assert base in stages or arguments[base.removeprefix("${").removesuffix("}")].count(":") == 1


@EACH
def test_the_user_is_a_number_and_not_root(dockerfile: Dockerfile) -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", dockerfile.instruction("USER"))


@EACH
def test_the_entry_point_is_in_exec_form(dockerfile: Dockerfile) -> None:
    assert json.loads(dockerfile.instruction("ENTRYPOINT"))[0] == "python"


@OF_SERVICES
def test_a_services_health_is_asked_through_servicekit(service: str) -> None:
    assert dockerfile_command(of(service)) == ["python", "-m", "servicekit.healthcheck"]
    assert f"SERVICE={service}" in of(service).instruction("ENV").split()


def dockerfile_command(dockerfile: Dockerfile) -> object:
    return json.loads(dockerfile.instruction("HEALTHCHECK").partition("CMD ")[2])


@OF_SERVICES
def test_a_build_sees_its_own_members_and_its_own_lock_and_nothing_else(service: str) -> None:
    assert of(service).admitted == members(service) | {"locks/images.txt", f"locks/{service}.txt"}
    assert of(service).ignored[0] == "*"


@OF_SERVICES
def test_an_image_is_made_of_all_that_its_build_sees(service: str) -> None:
    assert re.findall(r"^COPY (\S+) \S+$", of(service).text, re.MULTILINE)[-2:] == ["libs", "services"]
    assert "--no-deps ./libs/* ./services/*" in of(service).text


@EACH
def test_dependencies_come_from_a_lock_with_hashes(dockerfile: Dockerfile) -> None:
    for command in re.findall(r"(?:pip install|pip sync)[^&\n]*", dockerfile.text):
        assert "--require-hashes" in command or "--no-deps" in command, command


@OF_SERVICES
def test_a_services_lock_is_a_part_of_the_workspaces(service: str) -> None:
    assert pins(service) < pins("workspace")


@OF_SERVICES
def test_a_services_lock_holds_no_test_tool_and_no_build_tool(service: str) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    tools = {re.split(r"[^\w-]", each)[0] for each in groups["dev"] + groups["images"]} - {"boto3"}
    assert not tools & {pin.partition("==")[0] for pin in pins(service)}


def test_without_an_engine_it_is_said_what_is_missing() -> None:
    nowhere = os.environ | {"DOCKER_HOST": "unix:///nowhere"}
    local = [str(ROOT / "local" / ".venv" / "bin" / "python"), "-m", "local", "compose-demo"]
    for command in (["make", "images"], local):
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=ROOT, env=nowhere, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "needs Docker with compose v2" in done.stderr
        assert "Traceback" not in done.stderr


def test_images_are_built_with_the_uv_of_the_makefile() -> None:
    (version,) = re.findall(r"^UV_VERSION\s*:= (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"uv=={version}" in pins("images")
