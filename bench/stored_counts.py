"""What `DETECTOR_STORE_FROM` saves: writes to the counts table on real rows, by the least actions that are stored.

Run it as ``python -m bench.stored_counts [--file CSV] [--json FILE] [--smoke]``. Nothing is timed: rows of one user
in the same 10 s of the file's own time are one window, and a stored window is one write of one unit (an item has under
1 KB).
"""

import argparse
import csv
import gzip
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

SAMPLE: Final = Path(__file__).parents[1] / "data" / "rees46_multicategory_2019-10-01.csv.gz"
WINDOW_SECONDS: Final = 10
DOLLARS_A_MILLION_WRITES: Final = 0.625  # on demand, us-east-1
FROM: Final = (1, 2, 3, 5, 11)


def windows(file: Path) -> Counter[tuple[str, int]]:
    """Return the actions of each user and window in a REES46 file."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return Counter((row["user_id"], _window(row["event_time"])) for row in csv.DictReader(lines))


def _window(event_time: str) -> int:
    return int(datetime.fromisoformat(event_time.replace(" UTC", "+00:00")).timestamp()) // WINDOW_SECONDS


def measure(counts: Mapping[tuple[str, int], int]) -> dict[int, dict[str, float]]:
    """Return, by the least actions stored: windows written, actions in them, and dollars a million events."""
    events = sum(counts.values())
    stored = {least: [n for n in counts.values() if n >= least] for least in FROM}
    return {
        least: {
            "writes": len(kept),
            "actions": sum(kept),
            "dollars_a_million_events": len(kept) / events * DOLLARS_A_MILLION_WRITES,
        }
        for least, kept in stored.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=SAMPLE, help="a REES46 file, .csv.gz")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    parser.add_argument("--smoke", action="store_true", help="the same: it takes a second")
    options = parser.parse_args()
    counts = windows(options.file)
    figures = measure(counts)
    print(f"{sum(counts.values()):,} events in {len(counts):,} windows")
    for least, each in figures.items():
        left_out = sum(counts.values()) - each["actions"]
        cost = each["dollars_a_million_events"]
        print(f"from {least:>2}: {each['writes']:>6,.0f} writes, {left_out:>6,.0f} actions left out, ", end="")
        print(f"{cost:.3f} USD a million events")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
