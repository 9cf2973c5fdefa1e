"""What the windower holds in memory: flat over the input, bounded by open windows, bounded over shards that drift.

    python -m bench.windower_memory [--records 2000000] [--users 1000000] [--json FILE] [--smoke]

input    resident memory after a tenth of the input and after all of it, made as it is read and dropped when written
users    bytes of resident memory a user, with all of `--users` in one open window
drift    two shards, one of which answers slowly: how many windows the other one opens ahead of it, with max_drift and
         (for comparison) without; a shard that is far ahead is not read on
"""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, overload

import msgspec
import psutil

from bench.in_process import SETTINGS, InProcessWindower, on_uvloop
from bench.memory_aws import PAGE, MemoryKinesis, MemoryTransport, to_page
from bench.windowing_pure import START
from kinesis_wire.records import Page
from storepulse.instants import format_instant
from windower.garbage import collect_rarely
from windower.settings import WindowerSettings

MEBIBYTE: Final = 2**20
DRIFT_PAGES: Final = 60  # of a minute of event time each
MINUTE: Final = 60_000
SLOW_S: Final = 0.05


class Made(Sequence[Page]):
    """Pages that are made when they are read, and again the next time."""

    def __init__(self, pages: int, page: Callable[[int], Page]) -> None:
        """Have `pages` of them."""
        self._pages = pages
        self._page = page

    def __len__(self) -> int:
        """Return how many pages there are."""
        return self._pages

    @overload
    def __getitem__(self, index: int) -> Page: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Page]: ...
    def __getitem__(self, index: int | slice) -> Page | Sequence[Page]:
        """Make a page."""
        assert isinstance(index, int)
        return self._page(index)


def page_of(number: int, *, size: int, users: int, span: int, last: bool) -> Page:
    """Return page `number`: `size` records of `users` users in turn, over `span` milliseconds of event time."""
    first = number * size
    payloads = [
        msgspec.json.encode(
            {
                "event_type": "view",
                "product_id": "44600062",
                "category_id": "2053013555631882655",
                "user_id": f"u{n % users}",
                "txn_timestamp": format_instant(START + number * span + (n - first) * span // size),
            }
        )
        for n in range(first, first + size)
    ]
    return to_page(payloads, first, at_tip=last)


def made(pages: int, *, size: int, users: int, span: int) -> Made:
    """Return a shard of such pages."""
    return Made(pages, lambda n: page_of(n, size=size, users=users, span=span, last=n == pages - 1))


def resident() -> int:
    """Return this process's resident bytes, garbage that waits for its collection included."""
    return int(psutil.Process().memory_info().rss)


def windower_of(kinesis: MemoryKinesis, settings: WindowerSettings = SETTINGS) -> InProcessWindower:
    """Return a windower over `kinesis`."""
    return InProcessWindower(settings, partial(MemoryTransport, kinesis=kinesis, options={"reads": 1000}))


def counted(windower: InProcessWindower) -> float:
    """Return how many records it has counted."""
    return windower.sample("windower_records_total", outcome="counted")


async def over_input(pages: int, size: int) -> dict[str, float]:
    """Return resident MiB after a tenth of `pages` and after all."""
    kinesis = MemoryKinesis([made(pages, size=size, users=5_000, span=size)], keep=False)
    windower = windower_of(kinesis)
    async with windower.running():
        await windower.until(lambda: counted(windower) >= pages * size // 10)
        tenth = resident()
        await windower.until(lambda: counted(windower) >= pages * size)
        return {"after a tenth, MiB": tenth / MEBIBYTE, "after all, MiB": resident() / MEBIBYTE}


async def over_users(users: int, size: int) -> dict[str, float]:
    """Return what a user in an open window takes."""
    pages = users // size
    windower = windower_of(MemoryKinesis([made(pages, size=size, users=users, span=9_000 // pages)]))
    async with windower.running():
        await windower.until(lambda: counted(windower) >= size)
        before = resident()
        await windower.until(lambda: counted(windower) >= users)
        assert windower.sample("windower_open_counts") == users
        return {"open counts": users, "bytes a user": (resident() - before) / (users - size)}


async def over_drift(pages: int, size: int, max_drift: timedelta) -> dict[str, float]:
    """Return how far the fast one of two shards got ahead of the slow one."""
    shards = [made(pages, size=size, users=1_000, span=MINUTE) for _ in range(2)]
    kinesis = MemoryKinesis(shards, delays_s=(0.0, SLOW_S), keep=False)
    windower = windower_of(kinesis, SETTINGS.model_copy(update={"max_drift": max_drift}))
    most = {"most windows open": 0.0, "most counts open": 0.0}

    def look() -> bool:
        most["most windows open"] = max(most["most windows open"], windower.sample("windower_open_windows"))
        most["most counts open"] = max(most["most counts open"], windower.sample("windower_open_counts"))
        return counted(windower) >= 2 * pages * size

    async with windower.running():
        await windower.until(look)
    assert windower.sample("windower_records_total", outcome="late") == 0
    return most


def measure(records: int, users: int, size: int) -> dict[str, dict[str, float]]:
    """Measure all three."""
    small = max(size // 10, 10)
    day = timedelta(days=1)
    return {
        "input": on_uvloop(over_input, records // size, size),
        "users": on_uvloop(over_users, users, size),
        "drift, max_drift 2 min": on_uvloop(over_drift, DRIFT_PAGES, small, SETTINGS.max_drift),
        "drift, max_drift 1 day": on_uvloop(over_drift, DRIFT_PAGES, small, day),
    }


def main() -> None:
    """Print the figures, and write them to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    options = parser.parse_args()
    collect_rarely()  # as the service does
    result = measure(2_000, 2_000, 100) if options.smoke else measure(options.records, options.users, PAGE)
    for title, figures in result.items():
        print(title)
        for name, figure in figures.items():
            print(f"  {name:24} {figure:14,.1f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
