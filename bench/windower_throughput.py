"""Records a second and core of the whole windower in one process: decode, window, emit, through Faust and transport.

    python -m bench.windower_throughput [--records 200000] [--rounds 7] [--json FILE] [--smoke]

Only the two AWS clients are in memory (`memory_aws`). Candidates run in turn, round by round, each windower between two
runs of the pure model, so that a slow moment of the machine hits all; figures are medians of CPU time and of the
ratios within a round. Every run's finals must be the pure model's, and their sum the number of records.

pure model           decode, count, encode, batch by batch: no Faust, no transport, no PutRecords
windower             as it is deployed: thousands of records a message
one a message        the same windower with `batch=1`, on a part of the records
bytewax fold_window  the same counts with bytewax, on a part of the records, without the encoding
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from bench.in_process import SETTINGS, run_in_memory
from bench.memory_aws import to_pages
from bench.windowing_pure import START, bytewax_fold, records, whole
from storepulse.activity.counts import WindowCount, decode_count
from storepulse.instants import format_instant
from windower.garbage import collect_rarely

PART: Final = 10  # the slow candidates get one record in so many
CLOSING: Final = msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": format_instant(START + 10**10)})
AIM_PER_S: Final = 300_000
AIM_OF_PURE: Final = 0.70


@dataclass(slots=True)
class Case:
    """One candidate: what it does, with how many records, and what it took (CPU microseconds a record, by round)."""

    records: int
    run: Callable[[], float]  # returns CPU seconds
    micros: list[float] = field(default_factory=list)

    def measure(self) -> float:
        """Run once."""
        self.micros.append(self.run() / self.records * 1e6)
        return self.micros[-1]


def counts_of(finals: Sequence[bytes]) -> int:
    """Return how many counts a windower writes when `finals` are the final ones: some users have an early one too."""
    decoded = [count for count in map(decode_count, finals) if isinstance(count, WindowCount)]
    return len(finals) + sum(count.num_actions > SETTINGS.limit for count in decoded)


def check(written: Sequence[bytes], expected: Sequence[bytes], n: int) -> None:
    """Assert that the finals in `written` are those `expected`, and count every record once.

    Raises:
        AssertionError: they do not.
    """
    finals = [count for count in map(decode_count, written) if isinstance(count, WindowCount) and count.kind == "final"]
    assert sum(count.num_actions for count in finals) == n
    assert sorted(map(msgspec.json.encode, finals)) == sorted(expected)


def windower_case(data: Sequence[bytes], **options: object) -> Case:
    """Return the windower over `data`, checked on every run."""
    whole_input = [*data, CLOSING]
    expected = whole(whole_input)
    counts, pages = counts_of(expected), to_pages(whole_input)

    def run() -> float:
        taken = run_in_memory([pages], counts, **options)
        check(taken.written, expected, len(data))
        return taken.cpu_s

    return Case(len(data), run)


def timed_case(data: Sequence[bytes], run: Callable[[Sequence[bytes]], object]) -> Case:
    """Return a plain function over `data`."""

    def timed() -> float:
        start = time.process_time()
        run(data)
        return time.process_time() - start

    return Case(len(data), timed)


def measure(n: int, rounds: int) -> tuple[dict[str, Case], dict[str, list[float]]]:
    """Return the candidates, measured, and the windower's speed as a multiple of each other one's, by round."""
    data = records(n)
    few = data[: n // PART]
    pure, windower = timed_case([*data, CLOSING], whole), windower_case(data)
    others = {"one a message": windower_case(few, batch=1), "bytewax fold_window": timed_case(few, bytewax_fold)}
    ratios: dict[str, list[float]] = {"pure model": [], **{name: [] for name in others}}
    collect_rarely()  # as the service does: for all candidates, and none pays for going through the input
    for _ in range(rounds):
        around = [pure.measure()]
        own = windower.measure()
        around.append(pure.measure())
        ratios["pure model"].append(statistics.fmean(around) / own)
        for name, case in others.items():
            ratios[name].append(case.measure() / own)
    return {"windower": windower, "pure model": pure, **others}, ratios


def main() -> None:
    """Print the table, and write it to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    options = parser.parse_args()
    cases, ratios = measure(5_000, 1) if options.smoke else measure(options.records, options.rounds)
    result: dict[str, dict[str, float]] = {}
    print(f"{'':20} {'records/s/core':>15} {'us CPU/record':>14}   windower is")
    for name, case in cases.items():
        micros = statistics.median(case.micros)
        result[name] = {"records_per_core_second": 1e6 / micros, "cpu_micros_per_record": micros}
        compared = ""
        if name in ratios:
            result[name]["windower_is_times"] = ratio = statistics.median(ratios[name])
            compared = f"{ratio:6.2f} times ({min(ratios[name]):.2f} to {max(ratios[name]):.2f})"
        print(f"{name:20} {1e6 / micros:15,.0f} {micros:14.2f}   {compared}")
    print(f"aims: {AIM_PER_S:,} records/s/core on a quiet machine, {AIM_OF_PURE} of the pure model")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
