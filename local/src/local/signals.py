"""SIGTERM and SIGINT as an event."""

import signal
import threading
from types import FrameType


def stop_event() -> threading.Event:
    """Return an event that the first SIGTERM or SIGINT sets; call it in the main thread."""
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop
