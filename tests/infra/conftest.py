import fcntl
from pathlib import Path

import pytest

from tests.infra.synthesis import Template, assemble, load


@pytest.fixture(scope="session")
def deployments(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Two deployments, synthesised once by however many processes run the tests; see `assemble`."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    folder = shared / "infra"
    with (shared / "infra.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "flink" / "data.json").exists():
            assemble(folder)
        return folder


@pytest.fixture(scope="session")
def aws_folder(deployments: Path) -> Path:
    return deployments / "aws"


@pytest.fixture(scope="session")
def aws_folder_with_flink(deployments: Path) -> Path:
    return deployments / "flink"


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
