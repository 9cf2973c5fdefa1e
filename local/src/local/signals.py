"""Signals as an event, for what runs until it is told to stop, or as a way out that clears up, for all else."""

import signal
import sys
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


def end_in_order() -> None:
    """Make SIGTERM and SIGHUP (a closed terminal) leave through `finally`, so that nothing is left running behind.

    Only the first of them; a signal that whoever started this process ignores (nohup) stays ignored.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP)

    def handle(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in numbers:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, handle)
