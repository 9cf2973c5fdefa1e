import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting of whoever runs the tests reach them."""
    for name in [name for name in os.environ if name.startswith(("LOCAL_", "PRODUCER_", "WINDOWER_", "DETECTOR_"))]:
        monkeypatch.delenv(name)
