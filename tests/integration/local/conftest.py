from collections.abc import Iterator

import pytest

from tests.emulator import Emulator


@pytest.fixture(scope="module")
def own_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator for this module alone: the stack it deploys has fixed names."""
    with Emulator(tmp_path_factory.mktemp("local")) as running:
        yield running
