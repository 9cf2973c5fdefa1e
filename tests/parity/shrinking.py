"""The smallest stream on which two engines still differ, found with as few starts of a JVM as can be."""

from collections.abc import Callable, Sequence

Stream = Sequence[bytes]
PARTS = 8


def shrunk(stream: Stream, differ: Callable[[list[Stream]], list[bool]]) -> Stream:
    """Return a stream that still differs, though it does no more with any one record left out.

    Args:
        stream: one that differs.
        differ: says of each of several streams whether it does; they are asked together, as one start is dear.
    """
    parts = PARTS
    while len(stream) > 1:
        size = max(1, len(stream) // parts)
        candidates: list[Stream] = [[*stream[:start], *stream[start + size :]] for start in range(0, len(stream), size)]
        smaller = next((each for each, still in zip(candidates, differ(candidates), strict=True) if still), None)
        if smaller is not None:
            stream = smaller
        elif size == 1:
            break
        else:
            parts *= 2
    return stream
