"""Spans of time as a person types them: 250ms, 10s, 1.5m, 2h."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
_FORM: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|)").fullmatch


def parse_span(text: str | timedelta) -> timedelta:
    """Return a span such as ``250ms``; a bare number is seconds.

    Raises:
        ValueError: `text` is none.
    """
    if isinstance(text, timedelta):
        return text
    found = _FORM(text.strip())
    if found is None:
        msg = f"{text!r} is not a span such as 250ms, 10s or 1.5m"
        raise ValueError(msg)
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
