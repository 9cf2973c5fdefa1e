"""Fixtures that every suite may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.emulator import Emulator
from tests.untested import last_line, reason_of


def pytest_unconfigure(config: pytest.Config) -> None:
    """End a run with the line that names what could not be tested here; the workers of a parallel run say nothing."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput") and not config.option.collectonly:
        reporter.write_line(last_line(map(reason_of, reporter.stats.get("skipped", []))))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Yield an emulated AWS of this test session: `.url`, `.env`, `.client(name)`, `.pause()`, `.resume()`."""
    state: Path = tmp_path_factory.mktemp("emulator")
    with Emulator(state) as running:
        yield running


@pytest.fixture
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, with this test's own process pointed at it through the AWS_* variables."""
    for name, value in emulator.env.items():
        monkeypatch.setenv(name, value)
    return emulator


# Laws are tried on the same examples in every run; HYPOTHESIS_PROFILE=long looks for new ones for as long as it takes.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
