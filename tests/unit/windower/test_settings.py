"""The windower's settings, as the environment gives them."""

from datetime import timedelta

import pytest
from yarl import URL

from faust_kinesis.options import MAX_READS_PER_S, Options
from servicekit.settings import load
from tests.emulator import ROOT
from windower.settings import WindowerSettings
from windower.worker import create_faust_app

NEEDED = {"WINDOWER_BAD_EVENTS_QUEUE": "queue", "WINDOWER_BAD_EVENTS_BUCKET": "bucket"}


@pytest.fixture(autouse=True)
def _needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("10", timedelta(seconds=10)),
        ("0.25", timedelta(milliseconds=250)),
        ("PT10S", timedelta(seconds=10)),
        ("PT1M30S", timedelta(seconds=90)),
    ],
)
def test_a_span_is_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch, text: str, span: timedelta) -> None:
    monkeypatch.setenv("WINDOWER_WINDOW", text)
    assert load(WindowerSettings).window == span


@pytest.mark.parametrize("text", ["0", "-1", "0.0001", "soon", "nan", "inf", "1e30"])
def test_a_span_that_is_none_stops_the_start_and_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("WINDOWER_WINDOW", text)
    with pytest.raises(SystemExit) as stopped:
        load(WindowerSettings)
    assert stopped.value.code == 2
    assert "WINDOWER_WINDOW" in capsys.readouterr().err


def test_an_empty_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDOWER_LIMIT", "")
    assert load(WindowerSettings).limit == 10


def test_a_queue_that_is_not_named_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WINDOWER_BAD_EVENTS_QUEUE")
    with pytest.raises(SystemExit):
        load(WindowerSettings)
    assert "WINDOWER_BAD_EVENTS_QUEUE is not set" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(WindowerSettings.model_fields))
def test_the_readme_names_every_setting(name: str) -> None:
    aliased = {"region": "AWS_REGION", "endpoint_url": "AWS_ENDPOINT_URL"}
    readme = (ROOT / "services" / "windower" / "README.md").read_text()
    assert f"`{aliased.get(name, f'WINDOWER_{name.upper()}')}`" in readme


def test_a_shards_five_reads_a_second_are_enough_for_the_windower_and_firehose() -> None:
    firehose = 1  # Firehose calls GetRecords once a second for each shard
    app = create_faust_app(WindowerSettings(bad_events_queue="q", bad_events_bucket="b"))
    assert Options.parse(app.conf.broker_consumer[0]).reads_per_s + firehose <= MAX_READS_PER_S


def test_a_worker_is_called_after_its_host_and_port_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = {load(WindowerSettings).worker}
    monkeypatch.setenv("WINDOWER_PORT", "9082")
    workers.add(load(WindowerSettings).worker)
    assert {str(worker)[-5:] for worker in workers} == {"-8082", "-9082"}
    monkeypatch.setenv("WINDOWER_PORT", "0")
    assert load(WindowerSettings).worker is None
    monkeypatch.setenv("WINDOWER_WORKER_ID", "windower-7")
    assert load(WindowerSettings).worker == "windower-7"


@pytest.mark.parametrize("name", ["", "my host.example", "h\u00f6st_1"])
def test_any_host_name_gives_a_name_that_the_broker_url_takes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("windower.settings.gethostname", lambda: name)
    worker = load(WindowerSettings).worker
    assert Options.parse(URL(f"kinesis://us-east-1?worker={worker}")).worker == worker
