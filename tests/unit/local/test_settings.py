import pytest

from local.errors import LocalError
from local.settings import LocalSettings, load


def test_without_a_variable_everything_has_its_documented_port() -> None:
    settings = LocalSettings()
    assert settings.endpoint_url == "http://127.0.0.1:4566"
    assert settings.service_ports() == {"producer": 8081, "windower": 8082, "detector": 8083}


def test_one_variable_moves_every_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_EMULATOR_PORT", "4666")
    settings = load()
    assert settings.endpoint_url == "http://127.0.0.1:4666"
    assert settings.service_ports() == {"producer": 8181, "windower": 8182, "detector": 8183}


def test_a_service_s_own_variable_moves_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WINDOWER_PORT", "9000")
    assert load().service_ports() == {"producer": 8081, "windower": 9000, "detector": 8083}


def test_the_emulator_can_be_on_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_EMULATOR_HOST", "emulator")
    assert load().endpoint_url == "http://emulator:4566"


def test_a_child_process_given_these_settings_has_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = LocalSettings(
        emulator_port=5000, windower_port=7000, persist=True, bind_host="127.0.0.2", emulator_host="emulator"
    )
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LOCAL_EMULATOR_PORT", "many"), ("LOCAL_EMULATOR_PORT", "70000"), ("LOCAL_DETECTOR_PORT", "-1")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(LocalError, match=variable):
        load()


def test_what_is_given_comes_before_the_environment_and_is_judged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_EMULATOR_PORT", "5000")
    assert load(emulator_port=6000).emulator_port == 6000
    with pytest.raises(LocalError, match="LOCAL_EMULATOR_PORT"):
        load(emulator_port=0)


def test_an_emulator_port_that_leaves_no_room_for_the_services_is_refused() -> None:
    with pytest.raises(ValueError, match="set it, or another LOCAL_EMULATOR_PORT"):
        LocalSettings(emulator_port=65000)


def test_the_run_directory_is_the_same_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RUN_DIR", "somewhere")
    assert load().run_dir.is_absolute()
