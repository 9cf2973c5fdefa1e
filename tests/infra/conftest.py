from pathlib import Path

import pytest

from tests.infra.synthesis import Template, load, synthesise


@pytest.fixture(scope="session")
def aws_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("infra") / "aws.json", "--env", "test")


@pytest.fixture(scope="session")
def aws_template(aws_file: Path) -> Template:
    return load(aws_file)
