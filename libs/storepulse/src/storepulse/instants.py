"""Points in time on the wire: exactly ``YYYY-MM-DDTHH:MM:SS.mmmZ``, 24 ASCII characters, UTC.

One form means that text order is time order, that a window's end can be a sort key, and that a whole batch is checked
and parsed in a few passes. In memory a point in time is a whole number of milliseconds since the epoch.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

_FORM: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{3})Z")
_FRACTIONS: Final = {f".{n:03d}Z": n for n in range(1000)}
_SECOND_LENGTH: Final = len("2026-01-01T00:00:00")
_SHAPE: Final = b"0000-00-00T00:00:00.000Z,"
_DIGIT_TO_0: Final = bytes.maketrans(b"123456789", b"000000000")
_NOT_DIGITS: Final = b"-T:.Z"
_UNZONED_LENGTH: Final = len("2026-01-01T00:00:00.000")
_SHOWN_LENGTH: Final = 40

#: Milliseconds since the epoch of a second, by its text, and by its fourteen digits as a number.
_KNOWN_SECONDS: Final[dict[str | int, int]] = {}
_KNOWN_SECONDS_LIMIT: Final = 131_072
_decode_numbers: Final = msgspec.json.Decoder(list[int]).decode


def parse_instant(text: str) -> int:
    """Return ``text`` as milliseconds since the epoch.

    Raises:
        ValueError: when ``text`` is not exactly of the wire's form; the message says what is wrong with it.
    """
    try:
        return _KNOWN_SECONDS[text[:_SECOND_LENGTH]] + _FRACTIONS[text[_SECOND_LENGTH:]]
    except KeyError:
        return _parse_unseen(text)


def parse_instants(texts: Sequence[str]) -> list[int]:
    """Return each of `texts` as `parse_instant` does, at half the cost a text.

    Raises:
        ValueError: as `parse_instant` for the first that it refuses.
    """
    joined = ",".join(texts).encode("ascii", "replace")
    if joined.translate(_DIGIT_TO_0) == (_SHAPE * len(texts))[:-1]:
        known = _KNOWN_SECONDS
        try:
            numbers = _decode_numbers(b"[%b]" % joined.translate(None, _NOT_DIGITS))
            return [known[number // 1000] + number % 1000 for number in numbers]
        except (KeyError, msgspec.DecodeError):
            pass  # a second not seen before, one that is none, or a year before 1000: JSON has no number 0999
    return [parse_instant(text) for text in texts]


def _parse_unseen(text: str) -> int:
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(_complaint(text))
    second, fraction = form.groups()
    moment = datetime.fromisoformat(second + "+00:00")  # says which part is out of range
    if len(_KNOWN_SECONDS) >= _KNOWN_SECONDS_LIMIT:
        _KNOWN_SECONDS.clear()
    milliseconds = (moment - EPOCH) // MILLISECOND
    _KNOWN_SECONDS[second] = _KNOWN_SECONDS[int(re.sub(r"\D", "", second))] = milliseconds
    return milliseconds + int(fraction)


def _complaint(text: str) -> str:
    shown = ascii(text[:_SHOWN_LENGTH]) + ("..." if len(text) > _SHOWN_LENGTH else "")
    if not text.endswith("Z"):
        return f"no UTC zone: the text must end in Z, and is {shown}"
    return f"not of the form YYYY-MM-DDTHH:MM:SS.mmmZ: {shown}"


def format_instant(milliseconds: int) -> str:
    """Return milliseconds since the epoch in the wire's form.

    Raises:
        OverflowError: the year is not one of 1 to 9999.
    """
    return to_datetime(milliseconds).isoformat(timespec="milliseconds")[:_UNZONED_LENGTH] + "Z"


def to_datetime(milliseconds: int) -> datetime:
    """Return milliseconds since the epoch as an aware UTC datetime."""
    return EPOCH + milliseconds * MILLISECOND


def from_datetime(moment: datetime) -> int:
    """Return an aware datetime as whole milliseconds since the epoch, rounded down."""
    return (moment - EPOCH) // MILLISECOND


def to_milliseconds(span: timedelta) -> int:
    """Return a span as whole milliseconds, rounded down."""
    return span // MILLISECOND
