"""What the detector is told by its environment."""

from pathlib import Path

import pytest

from detector.settings import DetectorSettings
from servicekit.settings import load


def test_the_allow_list_is_read_from_a_list_with_commas_and_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "users").write_text("ben\n")
    monkeypatch.setenv("DETECTOR_ALLOWED_USERS", "anna, ,cleo")
    monkeypatch.setenv("DETECTOR_ALLOWED_USERS_FILE", str(tmp_path / "users"))
    assert load(DetectorSettings).allowed() == {"anna", "ben", "cleo"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DETECTOR_LIMIT", "0"),
        ("DETECTOR_ALLOWED_USERS_FILE", "/nowhere/users"),
        ("DETECTOR_POLL_MILLIS", "10"),
        ("AWS_ENDPOINT_URL", "not a url"),
    ],
)
def test_a_wrong_value_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        load(DetectorSettings)
    assert name.removeprefix("DETECTOR_").lower() in capsys.readouterr().err.lower()


def test_an_instance_with_its_own_worker_id_is_named_after_its_host_and_port() -> None:
    first, second = (DetectorSettings(worker_id="auto", port=port).worker for port in (8083, 8084))
    assert first.startswith("detector-")
    assert first != second
    assert DetectorSettings(worker_id="detector-7").worker == "detector-7"
