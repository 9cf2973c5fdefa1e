"""The images themselves: what is in them, who they run as, that they need no place to write but /tmp and /state."""

import json
import re

import pytest

from tests.containers.dockerfiles import DOCKERFILES, SERVICES, Dockerfile, members, pins
from tests.containers.engine import docker, inspect

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300)]
BUILD_TOOLS = ("pip", "uv", "hatchling", "setuptools", "gcc", "make", "git")
LIST = """
import importlib.metadata, json, pkgutil
print(json.dumps({
    "distributions": sorted(f"{d.name}=={d.version}" for d in importlib.metadata.distributions()),
    "modules": sorted(m.name for m in pkgutil.iter_modules()),
}))
"""
EACH = pytest.mark.parametrize(
    "dockerfile", [each for each in DOCKERFILES if not each.path.startswith("flink")], ids=lambda each: each.path
)


def image(dockerfile: Dockerfile) -> str:
    return f"storepulse/{dockerfile.path.split('/')[-2]}:dev"


def run(name: str, *command: str) -> str:
    """Run a command in an image as compose does: nothing can be written but /tmp."""
    program, *arguments = command
    return docker("run", "--rm", "--read-only", "--tmpfs", "/tmp", "--entrypoint", program, name, *arguments)  # noqa: S108


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_own_lock_and_its_own_members_and_nothing_else(service: str) -> None:
    found = json.loads(run(f"storepulse/{service}:dev", "python", "-c", LIST))
    ours = {normal(path.split("/")[-1]) for path in members(service)}
    installed = {normal(name.partition("==")[0]) for name in found["distributions"]}
    locked = {normal(pin.partition("==")[0]) for pin in pins(service)}
    assert ours <= installed <= ours | locked
    assert {normal(pin) for pin in pins(service)} >= {
        normal(each) for each in found["distributions"] if normal(each.partition("==")[0]) not in ours
    }
    assert not (set(SERVICES) - {service}) & set(found["modules"])
    assert not {"pytest", "hypothesis", "tests", "moto", "mypy"} & set(found["modules"])


@EACH
def test_no_build_tool_is_left_in_an_image(dockerfile: Dockerfile) -> None:
    asked = f"for each in {' '.join(BUILD_TOOLS)}; do command -v $each; done; python -m pip --version 2>&1"
    answer = run(image(dockerfile), "sh", "-c", f"{asked} || true").splitlines()
    assert [line for line in answer if "No module named pip" not in line] == []


@EACH
def test_an_image_runs_as_a_user_who_is_not_root_and_may_write_nothing_of_it(dockerfile: Dockerfile) -> None:
    assert run(image(dockerfile), "id", "-u").strip() == "10001"
    found = docker("run", "--rm", "--entrypoint", "find", image(dockerfile), "/opt", "-writable", "-not", "-type", "l")
    assert found == ""


@EACH
def test_an_image_says_what_it_is(dockerfile: Dockerfile) -> None:
    config = inspect("image", image(dockerfile))["Config"]
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["title"] == image(dockerfile).partition(":")[0]
    assert labels["vendor"] == "Storepulse"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["description"]
    assert labels["version"]
    assert labels["revision"]


@EACH
def test_an_image_has_a_health_check_and_an_entry_point_without_a_shell(dockerfile: Dockerfile) -> None:
    config = inspect("image", image(dockerfile))["Config"]
    assert config["Entrypoint"][:2] == ["python", "-m"]
    assert config["Healthcheck"]["Test"][:3] == ["CMD", "python", "-m"]


def test_the_detectors_image_has_a_java_that_the_kcl_takes() -> None:
    found = "import os; from detector.kcl.java import find_java; print(find_java(os.environ))"
    assert run("storepulse/detector:dev", "python", "-c", found).strip() == "/opt/java/openjdk/bin/java"


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"detector"}))
def test_only_the_detectors_image_has_java(service: str) -> None:
    assert run(f"storepulse/{service}:dev", "sh", "-c", "command -v java || ls /opt") == "app\nvenv\n"
