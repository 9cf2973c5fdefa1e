"""Tests of containers are skipped where no engine answers; `make test-compose` fails there, before it calls them."""

import subprocess
from functools import cache

import pytest

from tests.untested import skip_promise


@cache
def engine_answers() -> bool:
    try:
        subprocess.run(["docker", "version"], capture_output=True, check=True)  # noqa: S607 - docker is on the path
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=True)  # noqa: S607 - as above
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("containers") and not engine_answers():
        skip_promise("the images and the platform in containers", missing="a container engine with compose v2")
