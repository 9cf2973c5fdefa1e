"""What a price is, on stream 1: stated once, for the schema, the codec, the windower's hot path and the producer."""

import re
from collections.abc import Collection
from typing import Annotated, Final

from msgspec import Meta

PRICE_PATTERN: Final = r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?$"
PRICE_BELOW: Final = 10**13

Price = (
    Annotated[str, Meta(description="In the shop's currency.", extra_json_schema={"pattern": PRICE_PATTERN})]
    | Annotated[float, Meta(extra_json_schema={"minimum": 0, "exclusiveMaximum": PRICE_BELOW})]
)
"""Text in plain decimal notation, as our producer writes it, or a JSON number."""

_is_plain: Final = re.compile(PRICE_PATTERN[1:-1], re.ASCII).fullmatch
_SHOWN_LENGTH: Final = 40
_KNOWN_LIMIT: Final = 65_536
_known: set[str | float] = set()  # prices that were found good


def is_price(price: str | float) -> bool:
    """Say whether `price` is one: 0 or more, below ten million million, with twelve decimal places at most as text."""
    return bool(_is_plain(price)) if isinstance(price, str) else 0 <= price < PRICE_BELOW


def check_price(price: str | float) -> None:
    """Raise a ValueError that names the field unless `price` is one."""
    if not is_price(price):
        shown = repr(price)
        msg = f"price is not a plausible amount: {shown[:_SHOWN_LENGTH]}{'...' if len(shown) > _SHOWN_LENGTH else ''}"
        raise ValueError(msg)


def check_prices(prices: Collection[str | float]) -> None:
    """Raise as `check_price` for one of `prices` that is none; those of a shop repeat, so most are known."""
    unseen = set(prices) - _known
    if not unseen:
        return
    for price in unseen:
        check_price(price)
    if len(_known) + len(unseen) > _KNOWN_LIMIT:
        _known.clear()
    _known.update(unseen)
