"""A price as a file has it to the one form that the wire takes."""

import re
from decimal import Decimal
from typing import Final

from storepulse.activity.prices import is_price

_DECIMAL: Final = re.compile(
    r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
).fullmatch


def plain_price(text: str) -> str | None:
    """Return the plain decimal notation of a price, or None when it is none.

    What is plain already stays as it is, digit by digit. ``007.50``, ``+7.50``, ``7.``, `` 7.50 ``, ``-0.00`` and
    ``1e5`` are prices in another notation; ``1_000``, ``1,000``, ``-5`` and digits of other scripts are none.
    """
    if is_price(text):
        return text
    trimmed = text.strip()
    if _DECIMAL(trimmed) is None:
        return None
    amount = Decimal(trimmed)
    plain = format(amount or abs(amount), "f")
    return plain if is_price(plain) else None
