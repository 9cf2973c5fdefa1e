"""The one text form of a point in time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.instants import (
    format_instant,
    from_datetime,
    parse_instant,
    parse_instants,
    to_datetime,
    to_milliseconds,
)
from tests.unit.storepulse.strategies import YEAR_1, YEAR_10000, instant_texts, instants

NOT_INSTANTS = [
    "",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.00Z",
    "2026-01-01T00:00:00.0000Z",
    "2026-01-01T00:00:00.000",
    "2026-01-01T00:00:00.000z",
    "2026-01-01T00:00:00.000+00:00",
    "2026-01-01T00:00:00.000Z\n",
    "2026-01-01T00:00:00.000ZZ",
    " 2026-01-01T00:00:00.000Z",
    "2026-01-01 00:00:00.000Z",
    "2026-01-01t00:00:00.000Z",
    "2026-1-01T00:00:00.0000Z",
    "2026-01-01T00:00:0 .000Z",
    "2026-01-01T00:00:+1.000Z",
    "2026-01-01T00:00:1_0.00Z",
    "2026-01-01T00:00:00.0_0Z",
    "2026-01-01T00:00:00.+00Z",
    "2026-01-01T00:00:00. 00Z",
    "2026-01-01T00:00:00.1e2Z",
    "2026-01-01T00:00:00,000Z",
    "\uff12026-01-01T00:00:00.000Z",  # a digit, but not one of ASCII
    "2026-01-01T00:00:00.\u0660\u0660\u0660Z",
    "\ud8002026-01-01T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "2026-00-01T00:00:00.000Z",
    "2026-13-01T00:00:00.000Z",
    "2026-02-29T00:00:00.000Z",
    "2026-01-32T00:00:00.000Z",
    "2026-01-01T24:00:00.000Z",
    "2026-01-01T00:60:00.000Z",
    "2016-12-31T23:59:60.000Z",
    "-026-01-01T00:00:00.000Z",
    "12026-01-01T00:00:00.00Z",
    "2026-01-01T00:00:00.000Z,2026-01-01T00:00:00.000Z",
    "x" * 100_000,
]
texts = st.one_of(
    instant_texts,
    st.sampled_from(NOT_INSTANTS),
    st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z"),
    st.text(alphabet="0123456789-:TZ. +e_,", min_size=20, max_size=26),
)


def parsed(text: str) -> int | str:
    try:
        return parse_instant(text)
    except ValueError as error:
        return str(error)


@given(instants)
def test_an_instant_survives_the_wire(instant: int) -> None:
    text = format_instant(instant)
    assert len(text) == 24
    assert text.isascii()
    assert parse_instant(text) == instant
    assert from_datetime(to_datetime(instant)) == instant


@given(instants, instants)
def test_text_order_is_time_order(one: int, other: int) -> None:
    assert (one < other) == (format_instant(one) < format_instant(other))


@pytest.mark.parametrize("text", NOT_INSTANTS)
def test_what_is_not_exactly_of_the_form_is_refused_with_a_short_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as error:
        parse_instant(text)
    assert 10 < len(str(error.value)) < 120
    assert str(error.value).isascii()
    with pytest.raises(ValueError, match=r"\w"):
        parse_instants([format_instant(0), text])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-01-01T00:00:00.000", "must end in Z"),
        ("2026-01-01T00:00:00.000+01:00", "must end in Z"),
        ("2026-01-01T00:00:00.00Z", "not of the form YYYY-MM-DDTHH:MM:SS.mmmZ"),
        ("2026-01-01T24:00:00.000Z", "hour must be in 0..23"),
        ("2016-12-31T23:59:60.000Z", "second must be in 0..59"),
        ("2026-02-29T00:00:00.000Z", "day is out of range for month"),
        ("0000-01-01T00:00:00.000Z", "year 0 is out of range"),
    ],
)
def test_the_reason_says_which_part_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_instant(text)


@given(texts)
def test_what_is_accepted_is_written_again_letter_for_letter(text: str) -> None:
    outcome = parsed(text)
    assert isinstance(outcome, str) or format_instant(outcome) == text


@given(st.lists(texts, max_size=6))
def test_a_batch_is_parsed_as_each_of_it(batch: list[str]) -> None:
    each = [parsed(text) for text in batch]
    refused = [outcome for outcome in each if isinstance(outcome, str)]
    try:
        together: list[int] | str = parse_instants(batch)
    except ValueError as error:
        together = str(error)
    assert together == (refused[0] if refused else each)


def test_however_many_seconds_were_seen_the_answers_stay_the_same() -> None:
    seconds = range(0, 70_000_000, 1000)
    for second in seconds:
        parse_instant(format_instant(second))
    assert parse_instants([format_instant(second + 7) for second in seconds]) == [second + 7 for second in seconds]
    assert parsed("1970-01-01T00:00:60.000Z") == "second must be in 0..59"


@pytest.mark.parametrize("instant", [YEAR_1 - 1, YEAR_10000])
def test_no_text_is_made_of_a_year_that_has_not_four_digits(instant: int) -> None:
    with pytest.raises(OverflowError):
        format_instant(instant)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_a_moment_is_rounded_down_to_its_millisecond(moment: datetime) -> None:
    assert timedelta(0) <= moment - to_datetime(from_datetime(moment)) < timedelta(milliseconds=1)


def test_a_span_is_rounded_down_to_its_millisecond() -> None:
    assert to_milliseconds(timedelta(seconds=10, microseconds=1999)) == 10_001
