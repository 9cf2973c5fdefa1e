"""Options and spans are judged before anything is read or sent."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from producer.cli import cli
from producer.options import ReplayOptions
from producer.spans import parse_span
from storepulse.replay.pacing import AtOnce, EventTimes, FixedInterval


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("10s", 10.0), ("1.5m", 90.0), ("2h", 7200.0), ("3", 3.0), (" 1 s ", 1.0)]
)
def test_a_span_is_read_as_a_person_types_it(text: str, seconds: float) -> None:
    assert parse_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1e3s", "ten", "1s2m", "٣s"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a span"):
        parse_span(text)


def test_the_pace_is_the_one_that_is_given_and_the_files_own_by_default() -> None:
    files = ["s3://raw/x.csv"]
    assert ReplayOptions(sources=files).pacing() == EventTimes(1.0)
    assert ReplayOptions(sources=files, speed=60).pacing() == EventTimes(60.0)
    assert ReplayOptions(sources=files, speed="max").pacing() == AtOnce()
    assert ReplayOptions(sources=files, rate=50).pacing() == FixedInterval(20.0)
    assert ReplayOptions(sources=files, pace=timedelta(milliseconds=250)).pacing() == FixedInterval(250.0)


@pytest.mark.parametrize(
    "given",
    [
        {"speed": 0},
        {"speed": -1},
        {"speed": "nan"},
        {"speed": "inf"},
        {"rate": 1e9},
        {"pace": 0},
        {"window": "P2D"},
        {"concurrency": 0},
        {"clock": "event", "base": "2026-01-01T00:00:00"},
        {"base": "2026-01-01T00:00:00Z"},
        {"anchor": "end"},
        {"limit": 0},
        {"key": ""},
    ],
)
def test_options_out_of_bounds_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ReplayOptions.model_validate({"sources": ["s3://raw/x.csv"]} | given)


def test_only_options_that_decide_what_is_sent_bind_a_resumed_replay() -> None:
    plain = ReplayOptions(sources=["x"])
    assert plain.fingerprint("a") == ReplayOptions(sources=["x"], rate=5, concurrency=2, drain=False).fingerprint("a")
    assert plain.fingerprint("a") != ReplayOptions(sources=["x"], key="user_id").fingerprint("a")
    assert plain.fingerprint("a") != plain.fingerprint("b")


def test_the_help_names_the_defaults() -> None:
    shown = " ".join(CliRunner().invoke(cli, ["replay", "--help"]).output.replace("│", "").split())
    for default in ("category_id", "1", "10s", "10", "8"):
        assert f"[default: {default}]" in shown
