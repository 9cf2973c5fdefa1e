"""What a change makes anew: the image of its own service and no other."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.dockerfiles import SERVICES, members
from tests.containers.engine import docker, inspect
from tests.emulator import ROOT

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]
TAG = "storepulse-test/rebuilds"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what images are made of, to be changed."""
    folder = tmp_path_factory.mktemp("context")
    for name in ("libs", "services", "locks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    yield folder
    docker("image", "rm", "--force", *(f"{TAG}:{service}" for service in SERVICES))


def build(copy: Path, service: str) -> tuple[str, list[str]]:
    """Build a service's image and return its id and its layers."""
    dockerfile = copy / "services" / service / "Dockerfile"
    docker("build", "--quiet", "--file", str(dockerfile), "--tag", f"{TAG}:{service}", str(copy), timeout_s=300)
    built = inspect("image", f"{TAG}:{service}")
    layers: list[str] = built["RootFS"]["Layers"]
    return built["Id"], layers


def change(copy: Path, member: str) -> None:
    """Add a line to a package of the copy."""
    add_a_line(copy / member / "src" / Path(member).name / "__init__.py")


def add_a_line(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_a_change_of_every_other_service_leaves_an_image_as_it_was(copy: Path, service: str) -> None:
    before, _ = build(copy, service)
    for other in set(SERVICES) - {service}:
        change(copy, f"services/{other}")
        add_a_line(copy / "locks" / f"{other}.txt")
    assert build(copy, service)[0] == before


@pytest.mark.parametrize("service", SERVICES)
def test_a_change_of_its_own_code_makes_only_the_layer_of_the_code_anew(copy: Path, service: str) -> None:
    before, old = build(copy, service)
    change(copy, f"services/{service}")
    after, new = build(copy, service)
    assert after != before
    assert len(set(new) - set(old)) == 1, "the dependencies were installed again"


def test_a_change_of_a_library_reaches_the_services_that_need_it_and_no_other(copy: Path) -> None:
    library = "libs/faust_kinesis"
    before = {service: build(copy, service)[0] for service in SERVICES}
    change(copy, library)
    changed = {service for service in SERVICES if build(copy, service)[0] != before[service]}
    assert changed == {service for service in SERVICES if library in members(service)} == {"windower"}
