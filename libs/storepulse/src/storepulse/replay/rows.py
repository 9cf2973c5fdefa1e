"""A row of a file to an `Activity` on the wire, or to the reason why it is none.

Every column goes along under its own name; an empty value is left out. What `codec.decode` would refuse is refused
here, with its reason: a row that passes the few quick tests is known to decode, any other is decoded to find out. So
no event object is built for the usual row. A price in another notation than the wire's is rewritten, any other text is
as the file has it; the event's id goes by the file's own texts.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, get_args

import msgspec

from storepulse.activity.codec import decode, explain
from storepulse.activity.events import Activity, EventType
from storepulse.activity.users import MAX_KEY_UNITS, partition_key
from storepulse.failures import BadPayload, FailureKind
from storepulse.identity import event_id
from storepulse.instants import format_instant, parse_instant
from storepulse.replay.event_times import parse_event_time
from storepulse.replay.prices import plain_price

REQUIRED: Final = ("event_time", "event_type", "product_id", "price", "user_id")
OWN: Final = ("txn_timestamp", "event_id", "replay_shift_ms")
COLUMNS: Final = tuple(name for name in Activity.__struct_fields__ if name not in OWN)
"""The columns of a REES46 file, in its order."""
MAX_COLUMNS: Final = 1000
_TYPES: Final = frozenset(get_args(EventType))
_QUICK_BYTES: Final = 1024  # a payload of this length cannot hold a text that is too long
_QUICK_USER: Final = MAX_KEY_UNITS // 2  # characters, of two UTF-16 code units at most
_UNWRITABLE: Final = re.compile(r'["\\\x00-\x1f\x7f]')  # in a name, to msgspec
_KNOWN_LIMIT: Final = 65_536
_encode: Final = msgspec.json.Encoder().encode


class HeaderError(ValueError):
    """A file's first line does not name the columns that an event needs."""


class Encoded(NamedTuple):
    """A row as it goes on the wire."""

    payload: bytes
    event_id: str
    key: str  # the partition key


class RowCodec:
    """Encodes the rows of one file."""

    def __init__(self, source: str, columns: Sequence[str], *, key: str) -> None:
        """Take the file's columns.

        Args:
            source: the file's name, a part of each event's id.
            columns: from the header, in the file's order.
            key: the column whose value is the partition key; an empty value gives way to the event's id.

        Raises:
            HeaderError: a needed column is missing, one is named twice or cannot be a name, or there are too many.
        """
        self.source = source
        self.columns = [column.strip() for column in columns]
        _check_header(source, self.columns, key)
        place = self.columns.index
        self._time, self._type, self._product, self._price, self._user = map(place, REQUIRED)
        self._key = place(key)
        self._kept = [at for at, column in enumerate(self.columns) if column not in OWN]
        self._plain = len(self._kept) == len(self.columns)
        self._row = _row_type([self.columns[at] for at in self._kept])
        self._prices: dict[str, str] = {}  # as in the file: as on the wire

    @property
    def width(self) -> int:
        """How many values a row has."""
        return len(self.columns)

    def event_time(self, values: Sequence[str]) -> int:
        """Return a row's event time, in milliseconds since the epoch.

        Raises:
            ValueError: it has none that can be read.
        """
        return parse_event_time(values[self._time])

    def event_time_text(self, values: Sequence[str]) -> str:
        """Return a row's event time as the file has it."""
        return values[self._time]

    def user(self, values: Sequence[str]) -> str:
        """Return the user of a row."""
        return values[self._user]

    def encode(self, line: int, values: Sequence[str], stamp: str, shift: int | None = None) -> Encoded | BadPayload:
        """Return the row in `line` of the file, stamped, or why it is no event.

        Args:
            line: its number in the file, from 1, the header included.
            values: as many as there are columns.
            stamp: its `txn_timestamp`; checked by the caller (`stamp_text`).
            shift: its `replay_shift_ms`; None with the wall clock.
        """
        identity = event_id(self.source, line, values)
        text = values[self._price]
        price = self._prices.get(text) or self._learn_price(text)
        if price is not None and price != text:
            values = [*values[: self._price], price, *values[self._price + 1 :]]
        kept = values if self._plain else [values[at] for at in self._kept]
        payload = _encode(self._row(*kept, stamp, identity, shift))
        if price is None or not self._is_plainly_good(values, payload):
            decoded = decode(payload)
            if not isinstance(decoded, Activity):
                return decoded if isinstance(decoded, BadPayload) else _NO_ROW
        return Encoded(payload, identity, partition_key(values[self._key] or identity))

    def _is_plainly_good(self, values: Sequence[str], payload: bytes) -> bool:
        user = values[self._user]
        return (
            values[self._type] in _TYPES
            and len(payload) <= _QUICK_BYTES
            and 0 < len(user) <= _QUICK_USER
            and not user.isspace()
            and values[self._product] != ""
            and values[self._time] != ""
        )

    def _learn_price(self, text: str) -> str | None:
        price = plain_price(text)
        if price is not None:
            if len(self._prices) >= _KNOWN_LIMIT:
                self._prices.clear()
            self._prices[text] = price
        return price


_NO_ROW: Final = BadPayload(FailureKind.INVALID, "a heartbeat cannot come from a file")


def _check_header(source: str, columns: Sequence[str], key: str) -> None:
    missing = [column for column in REQUIRED if column not in columns]
    twice = sorted(column for column, times in Counter(columns).items() if times > 1)
    unwritable = [repr(column) for column in columns if _UNWRITABLE.search(column)]
    problem = ""
    if missing:
        problem = f"its first line does not name {', '.join(missing)}: is it the header?"
    elif twice:
        problem = f"its header names a column twice: {', '.join(twice)}"
    elif unwritable:
        problem = f"a column's name has a quote, a backslash or a control character: {', '.join(unwritable)}"
    elif len(columns) > MAX_COLUMNS:
        problem = f"its header names {len(columns):,} columns; {MAX_COLUMNS:,} at most"
    elif key not in columns:
        problem = (
            f"it has no column {key!r} to take the partition key from: name one that it has, such as with "
            f"--key user_id; it has {', '.join(columns)}"
        )
    if problem:
        msg = f"{source}: {problem[:500]}"
        raise HeaderError(msg)


def _row_type(columns: Sequence[str]) -> Callable[..., Any]:
    names = [f"c{number}" for number in range(len(columns))]
    own = [("stamp", str, ""), ("identity", str, ""), ("shift", int | None, None)]
    return msgspec.defstruct(
        "Row",
        [*((name, str, "") for name in names), *own],
        rename=dict(zip([*names, "stamp", "identity", "shift"], [*columns, *OWN], strict=True)),
        omit_defaults=True,
        gc=False,
    )


def stamp_text(milliseconds: int) -> str:
    """Return a `txn_timestamp` on the wire, known to be one that `codec.decode` takes.

    Raises:
        ValueError: the time has no such text (before the year 1000, after 9999).
    """
    try:
        text = format_instant(milliseconds)
        parse_instant(text)
    except (OverflowError, ValueError):
        msg = "event_time: the replay's clock moves it out of the calendar"
        raise ValueError(msg) from None
    return text


def refuse(error: ValueError) -> BadPayload:
    """Return why a row is no event, for a person to read."""
    return explain(error)
