from contextlib import suppress
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from faust_kinesis.errors import OptionError
from faust_kinesis.options import NAMES, Options


def parse(query: str) -> Options:
    return Options.parse(URL(f"kinesis://eu-west-1?{query}"))


def test_a_url_with_only_a_region_takes_every_default() -> None:
    assert parse("") == Options(region="eu-west-1")


def test_every_field_but_the_region_is_an_option() -> None:
    assert len(NAMES) == len(fields(Options)) - 1


def test_all_options_are_read() -> None:
    options = parse("start=LATEST&exclusive=1&lease=5&worker=w-1&batch=50&prefetch=2&table=t.1&puts=8&reads=50")
    assert options == Options(
        region="eu-west-1",
        start="LATEST",
        exclusive=True,
        lease_s=5,
        worker="w-1",
        batch=50,
        prefetch_bytes=2 * 2**20,
        table="t.1",
        puts=8,
        reads_per_s=50,
    )


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00%2B00:00", "2026-01-01T01:00:00%2B01:00"])
def test_a_start_time_is_read_in_any_zone(text: str) -> None:
    assert parse(f"start={text}").start == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("leese=10", "unknown option leese"),
        ("lease=fast", "lease=fast"),
        ("lease=0", "between 1 and 3600"),
        ("lease=nan", "between 1 and 3600"),
        ("exclusive=yes", "must be 0 or 1"),
        ("batch=0", "whole number between 1 and 10000"),
        ("batch=1.5", "batch=1.5"),
        ("start=EARLIEST", "TRIM_HORIZON, LATEST or an ISO time"),
        ("start=2026-01-01T00:00:00", "needs its zone"),
        ("worker=a/b", "must be letters"),
        ("lease=5&lease=6", "lease is given 2 times"),
    ],
)
def test_a_wrong_option_is_named_with_what_it_takes(query: str, says: str) -> None:
    with pytest.raises(OptionError, match=says.replace("(", r"\(")):
        parse(query)


def test_a_url_without_a_region_is_refused() -> None:
    with pytest.raises(OptionError, match="name the region"):
        Options.parse(URL("kinesis://"))


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12)))
def test_any_query_gives_options_or_an_option_error(query: dict[str, str]) -> None:
    with suppress(OptionError):
        assert Options.parse(URL("kinesis://eu-west-1").with_query(query)).region == "eu-west-1"


def test_options_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        parse("").batch = 1  # type: ignore[misc]  # that it is refused is the point
