"""What Hypothesis draws for the domain's laws."""

from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from storepulse.activity.codec import encode
from storepulse.activity.counts import WindowCount, encode_count
from storepulse.activity.events import MAX_REPLAY_SHIFT, Activity, Heartbeat
from storepulse.activity.prices import PRICE_BELOW, PRICE_PATTERN
from storepulse.activity.users import MAX_KEY_UNITS
from storepulse.instants import format_instant
from tests.builders import START, payload

YEAR_1: Final = -62_135_596_800_000
YEAR_10000: Final = 253_402_300_800_000

instants = st.integers(YEAR_1, YEAR_10000 - 1)
near_instants = st.integers(START, START + 120_000)
instant_texts = instants.map(format_instant)


def text(max_size: int) -> st.SearchStrategy[str]:
    """Return text as a field holds it: of any characters that UTF-8 has, and one at least."""
    return st.text(st.characters(codec="utf-8"), min_size=1, max_size=max_size)


def names_somebody(user: str) -> bool:
    """Say in other words than the product's what a user id is."""
    return user.strip() != "" and len(user.encode("utf-16-le")) <= 2 * MAX_KEY_UNITS


prices = st.one_of(
    st.sampled_from(["35.79", "0", "0.00"]),
    st.from_regex(PRICE_PATTERN.strip("^$"), fullmatch=True, alphabet=st.characters(codec="ascii")),
    st.floats(0, PRICE_BELOW, exclude_max=True),
)
user_ids = st.one_of(st.sampled_from(["u1", "u2", "541312140", " u1", "u1\u3000"]), text(256).filter(names_somebody))
replay_shifts = st.none() | st.integers(-MAX_REPLAY_SHIFT, MAX_REPLAY_SHIFT)
activities = st.builds(
    Activity,
    event_time=text(30),
    event_type=st.sampled_from(["view", "cart", "remove_from_cart", "purchase"]),
    product_id=text(30),
    category_id=st.none() | text(30),
    category_code=st.none() | text(30),
    brand=st.none() | text(30),
    price=prices,
    user_id=user_ids,
    user_session=st.none() | text(40),
    txn_timestamp=instant_texts,
    event_id=text(40),
    replay_shift_ms=replay_shifts,
)
heartbeats = st.builds(Heartbeat, txn_timestamp=instant_texts, replay_shift_ms=replay_shifts)


@st.composite
def _window_counts(draw: st.DrawFn) -> WindowCount:
    start = draw(st.integers(START, START + 10**9))
    return WindowCount(
        user_id=draw(user_ids),
        num_actions=draw(st.integers(1, 2**53)),
        window_start=format_instant(start),
        window_end=format_instant(start + draw(st.integers(1, 10**9))),
        kind=draw(st.sampled_from(["final", "early"])),
    )


window_counts = _window_counts()

#: Values of a JSON field, most of them not what any field is.
odd_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(
            ["", "NaN", "-1", "1e400", "Infinity", " ", "1.50", "heartbeat", "view", "u" * 257, "2026-01-01T00:00:00Z"]
        ),
        st.text(st.characters(codec="utf-8"), max_size=20),
        instant_texts,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_names = st.sampled_from(
    ["event_type", "user_id", "txn_timestamp", "price", "product_id", "brand", "event_id", "extra", "replay_shift_ms"]
)
odd_records = st.dictionaries(_names, odd_values | st.just(...), max_size=3).map(lambda fields: payload(**fields))
odd_heartbeats = st.dictionaries(_names, odd_values, max_size=2).map(
    lambda fields: msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": format_instant(START)} | fields)
)


@st.composite
def _damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Draw a good record in which a few bytes are cut out, doubled or replaced."""
    data = draw(whole)
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 8))
        data = data[:at] + draw(st.binary(max_size=4)) + data[at + length :]
    return data


good_payloads = st.one_of(activities.map(encode), heartbeats.map(encode))
payloads = st.one_of(good_payloads, odd_records, odd_heartbeats, _damaged(good_payloads), st.binary(max_size=60))
count_payloads = st.one_of(
    window_counts.map(encode_count), _damaged(window_counts.map(encode_count)), st.binary(max_size=60)
)
