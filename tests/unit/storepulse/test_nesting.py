"""How deep a record may be nested does not depend on who decodes it, nor from where."""

from collections.abc import Callable

import pytest

from storepulse.activity.actions import decode_actions
from storepulse.activity.codec import decode
from storepulse.activity.nesting import MAX_DEPTH, is_deep
from storepulse.failures import BadPayload
from tests.builders import payload


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """Return an action whose last field makes it `depth` deep."""
    inner = depth - 1
    return payload()[:-1] + b',"x":' + opening * inner + b"0" + closing * inner + b"}"


def from_below(frames: int, call: Callable[[], object]) -> object:
    """Return what `call` does with so many frames beneath it."""
    return call() if frames == 0 else from_below(frames - 1, call)


@pytest.mark.parametrize("frames", [0, 300])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_record_may_be_as_deep_from_any_depth_of_the_stack(frames: int, pair: tuple[bytes, bytes]) -> None:
    deepest, deeper = nested(MAX_DEPTH, *pair), nested(MAX_DEPTH + 1, *pair)
    actions = from_below(frames, lambda: [decode_actions([each]).bad for each in (deepest, deeper)])
    assert isinstance(actions, list)
    assert [len(bad) for bad in actions] == [0, 1]
    whole = from_below(frames, lambda: [isinstance(decode(each), BadPayload) for each in (deepest, deeper)])
    assert whole == [False, True]


def test_brackets_in_texts_are_no_lists() -> None:
    assert not is_deep(b'{"x":"' + b"[" * 2_000 + b'","\\"' + b"{" * 2_000 + b'":[]}')
    assert is_deep(b'"' + b"\\" * 4 + b'"' + b"[" * (MAX_DEPTH + 1))
    assert not is_deep(b"[]" * 2_000)
