"""How deep lists and objects may lie in each other: one number, which no engine's stack decides."""

import re
from itertools import accumulate
from typing import Final

MAX_DEPTH: Final = 500  # well within what msgspec follows, however deep the call

_without_texts: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL).sub
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEP: Final = [1 if byte in b"[{" else -1 for byte in range(256)]


def is_deep(payload: bytes) -> bool:
    """Say whether more than `MAX_DEPTH` lists and objects are open at once, whatever else is wrong with the bytes."""
    if payload.count(b"[") + payload.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _without_texts(b"", payload).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > MAX_DEPTH
