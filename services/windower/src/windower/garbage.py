"""How often Python looks for reference cycles in the windower."""

import gc
from typing import Final

NEW_CONTAINERS: Final = 50_000  # Python's own choice is 700


def collect_rarely() -> None:
    """Leave what exists now out of every collection, and look through the rest after 50,000 new containers.

    A batch makes thousands of objects that live shortly and hold no cycle; at Python's own rate they are gone through
    again and again, which takes a tenth of the windower's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_CONTAINERS, 20, 20)
