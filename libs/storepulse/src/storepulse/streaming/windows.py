"""Tumbling windows: event time cut into equal spans, aligned to the epoch."""

from typing import NamedTuple


class Window(NamedTuple):
    """The span ``[start, end)``, in milliseconds since the epoch."""

    start: int
    end: int

    @property
    def last(self) -> int:
        """The last millisecond that belongs to the window; a watermark that reaches it fires the window."""
        return self.end - 1


def window_of(time: int, size: int) -> Window:
    """Return the window of `size` milliseconds that holds `time`."""
    start = time - time % size
    return Window(start, start + size)
