"""The source's text form of a time, such as ``2019-10-01 00:00:00 UTC``."""

from datetime import datetime
from typing import Final

from storepulse.instants import from_datetime, parse_instant, to_datetime

_REES46: Final = len("2019-10-01 00:00:00 UTC")
_LONGEST: Final = 64


def parse_event_time(text: str) -> int:
    """Return a source's event time in milliseconds since the epoch.

    Takes the form of REES46, and ISO 8601 with a zone.

    Raises:
        ValueError: `text` is neither; the message names the field.
    """
    if len(text) == _REES46 and text[10] == " " and text.endswith(" UTC"):
        try:
            return parse_instant(f"{text[:10]}T{text[11:19]}.000Z")
        except ValueError as error:
            msg = f"event_time: {error}"
            raise ValueError(msg) from error
    return _parse_iso(text)


def _parse_iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC") + "Z" if text.endswith(" UTC") else text[:_LONGEST])
    except ValueError:
        msg = f"event_time: not a time such as 2019-10-01 00:00:00 UTC: {text[:_LONGEST]!r}"
        raise ValueError(msg) from None
    if moment.tzinfo is None:
        msg = f"event_time: no zone: {text[:_LONGEST]!r}"
        raise ValueError(msg)
    try:
        return from_datetime(moment)
    except OverflowError:
        msg = f"event_time: out of range: {text[:_LONGEST]!r}"
        raise ValueError(msg) from None


def format_event_time(milliseconds: int) -> str:
    """Return a time in the form of REES46, which has whole seconds: rounded down."""
    return to_datetime(milliseconds).strftime("%Y-%m-%d %H:%M:%S UTC")
