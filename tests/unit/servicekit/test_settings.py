import pytest
from pydantic import SecretStr, ValidationError

from servicekit.settings import ServiceSettings, load


class ShopSettings(ServiceSettings, env_prefix="SHOP_"):
    bucket: str
    api_key: SecretStr = SecretStr("none")
    shelves: tuple[int, ...] = ()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOP_BUCKET", "raw")


def rejection(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as exit_:
        load(ShopSettings)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


def test_what_is_not_set_has_the_documented_default() -> None:
    settings = load(ShopSettings)
    assert (settings.log_level, settings.host, settings.region) == ("INFO", "127.0.0.1", "us-east-1")
    assert settings.endpoint_url is None


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION", "SHOP_REGION"])
def test_the_region_is_read_from_each_of_its_variables(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "eu-west-1")
    assert load(ShopSettings).region == "eu-west-1"


def test_the_endpoint_is_awss_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert str(load(ShopSettings).endpoint_url) == "http://127.0.0.1:4566/"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    assert load(ShopSettings).endpoint_url is None


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(ShopSettings).bucket = "other"


def test_a_missing_setting_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SHOP_BUCKET")
    assert "SHOP_BUCKET is not set" in rejection(capsys)


def test_a_wrong_setting_is_shown_with_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_PORT", "99999")
    told = rejection(capsys)
    assert "SHOP_PORT='99999' (its port; 0 = any free one)" in told
    assert "65535" in told


def test_all_wrong_settings_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_LOG_LEVEL", "LOUD")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    told = rejection(capsys)
    assert "SHOP_LOG_LEVEL" in told
    assert "AWS_ENDPOINT_URL" in told


def test_a_sequence_that_is_no_json_is_told_like_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_SHELVES", "[1, ")
    assert "shelves" in rejection(capsys)


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class StrictSettings(ServiceSettings, env_prefix="SHOP_"):
        api_key: SecretStr
        password: SecretStr | None = None

        model_config = {"str_max_length": 3}  # noqa: RUF012 - how pydantic is configured

    monkeypatch.setenv("SHOP_API_KEY", "hunter2")
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    with pytest.raises(SystemExit):
        load(StrictSettings)
    told = capsys.readouterr().err
    assert "SHOP_API_KEY" in told
    assert "SHOP_PASSWORD" in told
    assert "hunter2" not in told
