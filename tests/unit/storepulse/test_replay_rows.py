"""What is sent is what `codec.decode` takes, and what it refuses is not sent."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.activity.codec import decode
from storepulse.activity.events import Activity
from storepulse.failures import BadPayload
from storepulse.identity import event_id
from storepulse.instants import format_instant
from storepulse.replay.event_times import format_event_time, parse_event_time
from storepulse.replay.prices import plain_price
from storepulse.replay.rows import COLUMNS, OWN, Encoded, HeaderError, RowCodec, stamp_text
from tests.builders import START

ROW = (
    "2019-10-01 00:00:00 UTC",
    "view",
    "44600062",
    "2103807459595387724",
    "",
    "shiseido",
    "35.79",
    "541312140",
    "72d76fde-8bb3-4e00-8c23-a032dfed738c",
)
STAMP = format_instant(START)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PRICES = st.sampled_from(["0", "1.50", "-1", "1e5", "1e99", "NaN", "Infinity", "٣", "1_0", " 1", "0x1", "1.", ".5", ""])
TEXTS = st.one_of(ANYTHING, st.sampled_from(["", "x" * 1024, "x" * 1025, "view", "heartbeat", "é" * 500]))


def values(**fields: str) -> list[str]:
    return list((dict(zip(COLUMNS, ROW, strict=True)) | fields).values())


def codec(columns: tuple[str, ...] = COLUMNS, key: str = "category_id") -> RowCodec:
    return RowCodec("s3://raw/2019-Oct.csv", columns, key=key)


def as_it_is(row: Sequence[str]) -> bytes:
    """Return the row's record with no value rewritten but a price in another notation."""
    fields = {name: value for name, value in zip(COLUMNS, row, strict=True) if value}
    price = plain_price(fields.get("price", "")) or fields.get("price", "")
    return msgspec.json.encode(fields | {"price": price, "txn_timestamp": STAMP, "event_id": "0" * 32})


@given(row=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.one_of(PRICES, ANYTHING), TEXTS, TEXTS))
def test_a_row_is_sent_exactly_when_it_decodes_as_an_activity(row: tuple[str, ...]) -> None:
    encoded = codec().encode(2, row, STAMP)
    if isinstance(encoded, Encoded):
        assert isinstance(decode(encoded.payload), Activity)
    else:
        assert not isinstance(decode(as_it_is(row)), Activity)


@given(
    changed=st.sampled_from(COLUMNS),
    value=st.one_of(TEXTS, PRICES),
    quick=st.sampled_from(["view", "cart", "purchase"]),
)
def test_one_changed_value_is_judged_as_decode_judges_it(changed: str, value: str, quick: str) -> None:
    row = values(**{"event_type": quick, changed: value})
    encoded = codec().encode(2, row, STAMP)
    assert isinstance(encoded, Encoded) == isinstance(decode(as_it_is(row)), Activity)


def test_a_row_keeps_every_value_as_the_file_has_it_and_leaves_empty_ones_out() -> None:
    encoded = codec().encode(2, ROW, STAMP)
    assert isinstance(encoded, Encoded)
    sent = msgspec.json.decode(encoded.payload)
    expected = {name: value for name, value in zip(COLUMNS, ROW, strict=True) if value}
    assert sent == expected | {"txn_timestamp": STAMP, "event_id": encoded.event_id}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("35.790", "35.790"),
        ("-0.00", "0.00"),
        ("-0", "0"),
        ("+7.5", "7.5"),
        ("007.50", "7.50"),
        (" 7.50\t", "7.50"),
        ("7.", "7"),
        (".5", "0.5"),
        ("1e5", "100000"),
        ("1.5E-3", "0.0015"),
        ("9999999999999.999999999999", "9999999999999.999999999999"),
    ],
)
def test_a_price_in_another_notation_is_written_plainly_under_the_same_id_as_the_text_gives(
    text: str, sent: str
) -> None:
    encoded = codec().encode(2, values(price=text), STAMP)
    assert isinstance(encoded, Encoded)
    assert msgspec.json.decode(encoded.payload)["price"] == sent
    assert encoded.event_id == event_id("s3://raw/2019-Oct.csv", 2, values(price=text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-5.00",
        "NaN",
        "inf",
        "1_000",
        "1,000",
        "٣",
        "１",  # noqa: RUF001
        "0x1",
        "1e",
        "e5",
        "1e13",
        "1e-13",
        "1" * 400,
        "1e999",
        "1.5 0",
    ],
)
def test_what_is_no_price_is_refused_with_its_name(text: str) -> None:
    refused = codec().encode(2, values(price=text), STAMP)
    assert isinstance(refused, BadPayload)
    assert "price" in refused.reason


@pytest.mark.parametrize(
    ("user", "kept"), [(" 5 ", True), ("\u3000x", True), ("   ", False), ("\u3000", False), ("", False)]
)
def test_a_padded_user_is_kept_as_it_is_and_one_of_white_space_alone_is_refused(user: str, *, kept: bool) -> None:
    encoded = codec(key="user_id").encode(2, values(user_id=user), STAMP)
    assert isinstance(encoded, Encoded) == kept
    if isinstance(encoded, Encoded):
        assert (encoded.key, msgspec.json.decode(encoded.payload)["user_id"]) == (user, user)


@pytest.mark.parametrize(("shift", "said"), [(None, {}), (0, {"replay_shift_ms": 0}), (-5, {"replay_shift_ms": -5})])
def test_a_row_says_how_far_the_replay_shifted_it(shift: int | None, said: dict[str, int]) -> None:
    encoded = codec((*COLUMNS, "replay_shift_ms")).encode(2, [*ROW, "7"], STAMP, shift)
    assert isinstance(encoded, Encoded)
    sent = msgspec.json.decode(encoded.payload)
    assert {name: value for name, value in sent.items() if name == "replay_shift_ms"} == said
    assert isinstance(decode(encoded.payload), Activity)


def test_columns_of_any_name_go_along_and_the_producers_own_are_made_anew() -> None:
    columns = (*COLUMNS, "2nd shop", "event_id", "txn_timestamp")
    encoded = codec(columns).encode(2, [*ROW, "left", "old", "old"], STAMP)
    assert isinstance(encoded, Encoded)
    sent = msgspec.json.decode(encoded.payload)
    assert sent["2nd shop"] == "left"
    assert (sent["event_id"], sent["txn_timestamp"]) == (encoded.event_id, STAMP)


def test_the_same_row_in_another_line_is_another_event() -> None:
    first, again, other = (codec().encode(line, ROW, STAMP) for line in (2, 2, 3))
    assert isinstance(first, Encoded)
    assert isinstance(other, Encoded)
    assert first == again
    assert first.event_id != other.event_id


@pytest.mark.parametrize(("key", "expected"), [("category_id", ROW[3]), ("user_id", ROW[7])])
def test_the_key_column_gives_the_partition_key(key: str, expected: str) -> None:
    encoded = codec(key=key).encode(2, ROW, STAMP)
    assert isinstance(encoded, Encoded)
    assert encoded.key == expected


def test_an_empty_key_gives_way_to_the_event_id_and_a_long_one_is_cut_to_what_kinesis_takes() -> None:
    empty = codec(key="brand").encode(2, values(brand=""), STAMP)
    long = codec(key="brand").encode(2, values(brand="b" * 900), STAMP)
    assert isinstance(empty, Encoded)
    assert isinstance(long, Encoded)
    assert empty.key == empty.event_id
    assert long.key == "b" * 256


@pytest.mark.parametrize(
    ("columns", "key", "told"),
    [
        (COLUMNS[1:], "category_id", "does not name event_time"),
        ((*COLUMNS, "brand"), "category_id", "twice: brand"),
        (COLUMNS, "colour", "no column 'colour'.*--key user_id"),
        ((*COLUMNS, 'size "EU"'), "category_id", "a quote, a backslash"),
        ((*COLUMNS, *map(str, range(1000))), "category_id", "1,009 columns; 1,000 at most"),
        (ROW, "category_id", "is it the header"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(columns: tuple[str, ...], key: str, told: str) -> None:
    with pytest.raises(HeaderError, match=told):
        codec(columns, key)


@given(name=st.text())
def test_a_columns_name_either_goes_along_as_it_is_or_is_refused(name: str) -> None:
    try:
        named = codec((*COLUMNS, name))
    except HeaderError:
        return
    encoded = named.encode(2, [*values(), "extra"], STAMP)
    assert isinstance(encoded, Encoded)
    assert name.strip() in OWN or msgspec.json.decode(encoded.payload)[name.strip()] == "extra"


@pytest.mark.timeout(60)
def test_a_line_of_very_many_values_is_refused_as_a_header_at_once() -> None:
    with pytest.raises(HeaderError, match="is it the header"):
        codec(tuple(f"value-{n}" for n in range(300_000)))


@given(time=st.integers(0, 4_000_000_000))
def test_event_times_in_the_sources_form_come_back_as_they_were(time: int) -> None:
    assert parse_event_time(format_event_time(time * 1000)) == time * 1000


@pytest.mark.parametrize("text", ["2019-10-01T00:00:00Z", "2019-10-01T02:00:00+02:00", "2019-10-01 00:00:00.000 UTC"])
def test_other_forms_with_a_zone_are_the_same_instant(text: str) -> None:
    assert parse_event_time(text) == parse_event_time("2019-10-01 00:00:00 UTC")


@given(text=st.text())
def test_no_text_makes_reading_an_event_time_raise_anything_but_its_reason(text: str) -> None:
    try:
        parse_event_time(text)
    except ValueError as error:
        assert "event_time" in str(error)  # noqa: PT017 - any text may also be a time


@pytest.mark.parametrize("text", ["2019-10-01 00:00:00", "2019-13-01 00:00:00 UTC", "", "yesterday", "2019-10-01"])
def test_a_time_without_a_zone_or_form_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="event_time"):
        parse_event_time(text)


@given(time=st.integers(-(10**15), 10**15))
def test_a_stamp_is_one_that_decode_takes_or_is_refused(time: int) -> None:
    try:
        text = stamp_text(time)
    except ValueError as error:
        assert "event_time" in str(error)  # noqa: PT017 - most times have a stamp
    else:
        assert isinstance(codec().encode(2, ROW, text), Encoded)
