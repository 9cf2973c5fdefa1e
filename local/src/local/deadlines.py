"""Waiting for something, but not for ever."""

import time
from collections.abc import Callable

from local.errors import LocalError


def wait_until(check: Callable[[], bool], *, within: float, what: str, every: float = 0.05) -> None:
    """Call `check` until it is true.

    Args:
        check: what must become true; cheap, and does not raise.
        within: seconds to wait at most.
        what: completes "Gave up after ... s: {what}".
        every: seconds between two calls.

    Raises:
        LocalError: when `within` has passed.
    """
    deadline = time.monotonic() + within
    while not check():
        if time.monotonic() >= deadline:
            message = f"Gave up after {within:g} s: {what}."
            raise LocalError(message)
        time.sleep(every)
