import fcntl
from pathlib import Path

import pytest

from tests.infra.synthesis import Template, load, synthesise_all


@pytest.fixture(scope="session")
def aws_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Every stack of a deployment called `test`, without Flink."""
    return synthesised_once(tmp_path_factory, request, "aws")


@pytest.fixture(scope="session")
def aws_folder_with_flink(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The same with Flink."""
    return synthesised_once(tmp_path_factory, request, "flink", "--flink")


def synthesised_once(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, name: str, *options: str
) -> Path:
    """Return the folder of a synthesis that all processes share that run the tests."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    folder = shared / f"infra-{name}"
    with (shared / f"infra-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder if folder.exists() else synthesise_all(folder, "--env", "test", *options)


@pytest.fixture(scope="session")
def aws_template(aws_folder: Path) -> Template:
    return load(aws_folder / "data.json")


@pytest.fixture(scope="session")
def network(aws_folder: Path) -> Template:
    return load(aws_folder / "network.json")


@pytest.fixture(scope="session")
def services(aws_folder: Path) -> Template:
    return load(aws_folder / "services.json")


@pytest.fixture(scope="session")
def operations(aws_folder: Path) -> Template:
    return load(aws_folder / "operations.json")
