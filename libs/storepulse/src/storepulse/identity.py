"""Ids that depend on content alone: the same input gives the same ids on every machine and in every replay."""

from collections.abc import Iterable
from hashlib import blake2b

_SEPARATOR = "\x1f"


def content_id(*parts: str) -> str:
    """Return 32 hexadecimal digits for `parts`; lists that differ anywhere get different ids."""
    text = _SEPARATOR.join(f"{len(part)}:{part}" for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def event_id(source: str, line: int, values: Iterable[str]) -> str:
    """Return the id of the event in line `line` of `source`.

    The line is part of it because clickstreams hold exact duplicates that are separate actions.
    """
    return content_id(source, str(line), *values)
