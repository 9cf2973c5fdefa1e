"""Events a CPU-second of the Flink job and of the windower over the same file, and what each costs to start.

    python -m bench.flink_and_windower [--records 1000000] [--rounds 3] [--json FILE] [--smoke]

Each runs in processes of its own, in turn, round by round: on a file of one record, which is what it costs to start; on
the file; and on one twice as long. The second half of that is what an event costs a job that has run for a while: a JVM
compiles for a minute, which is told apart. CPU time is that of all its processes, compilers and garbage collectors
included; figures are of the medians of the rounds. Neither has a network: the job reads and writes files, the windower
reads the file into memory and writes there. Both must give the same finals. Flink's environment must be there
(`make flink-setup`).
"""

import argparse
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from bench.in_process import run_in_memory
from bench.memory_aws import to_pages
from bench.windower_throughput import CLOSING, counts_of
from bench.windowing_pure import START as SHARD_START
from bench.windowing_pure import records, whole
from storepulse.activity.counts import WindowCount, decode_count
from tests.parity import recordings
from tests.parity.job import STATE, jar, table_of_files, table_of_recordings

ROOT: Final = Path(__file__).parents[1]
FLINK: Final = ROOT / "flink"
SUBREAPER: Final = 36  # prctl's PR_SET_CHILD_SUBREAPER: the JVM outlives the Python that started it, and is ours then
SMOKE: Final = 2_000  # records


@dataclass(slots=True)
class Cost:
    """What an engine took, by round, in seconds."""

    start_cpu: list[float] = field(default_factory=list)
    start_wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # of the whole file, the start included
    twice_cpu: list[float] = field(default_factory=list)  # of the file twice as long

    def figures(self, n: int) -> dict[str, float]:
        """Return what counting `n` records took."""
        start, once, twice = map(statistics.median, (self.start_cpu, self.cpu, self.twice_cpu))
        return {
            "events_per_cpu_second": n / max(twice - once, 0.01),
            "from_the_start": n / max(once - start, 0.01),
            "start_cpu_s": start,
            "start_wall_s": statistics.median(self.start_wall),
        }


@dataclass(frozen=True, slots=True)
class Input:
    """A file of records, and how many counts come of it."""

    path: Path
    counts: int
    finals: Counter[bytes]


def write(folder: Path, n: int) -> Input:
    """Write `n` records, and one that fires their windows."""
    payloads = [*records(n), CLOSING]
    path = folder / f"records-{n}"
    path.write_bytes(b"".join(payload + b"\n" for payload in payloads))
    recorded(path).mkdir()
    (recorded(path) / "0").write_bytes(recordings.records(payloads, shard="shard-0", arrival=SHARD_START + n))
    finals = whole(payloads)
    return Input(path, counts_of(finals), finals_in(finals))


def recorded(path: Path) -> Path:
    """Return the folder in which the records of the file `path` are as the job reads them."""
    return path.with_suffix(".recorded")


def finals_in(lines: Iterable[bytes]) -> Counter[bytes]:
    """Return the final counts among records of stream 2, in one form."""
    counts = [count for count in map(decode_count, lines) if isinstance(count, WindowCount) and count.kind == "final"]
    return Counter(map(msgspec.json.encode, counts))


def flink(given: Input, out: Path) -> list[str | Path]:
    """Return the command that runs the job; it writes into `out`."""
    file = json.loads((FLINK / "application_properties.json").read_text())
    groups = {group["PropertyGroupId"]: group["PropertyMap"] for group in file}
    groups["stream_1"] = table_of_recordings(recorded(given.path))
    groups |= {name: table_of_files(out / name) for name in ("stream_2", "bad_events")}
    groups["Local"] = {"parallelism.default": "1", "pipeline.jars": jar().as_uri(), **STATE}
    properties = out / "properties.json"
    properties.write_text(json.dumps([{"PropertyGroupId": name, "PropertyMap": each} for name, each in groups.items()]))
    return [FLINK / ".venv/bin/python", FLINK / "main.py", properties]


def windower(given: Input, out: Path) -> list[str | Path]:
    """Return the command that runs the windower; it writes into `out`."""
    (out / "stream_2").mkdir()
    written = out / "stream_2" / "part-0"
    return [sys.executable, "-m", "bench.flink_and_windower", "--windower", given.path, written, str(given.counts)]


def be_the_windower(path: Path, written: Path, counts: int) -> None:
    """Count a file in this process."""
    taken = run_in_memory([to_pages(path.read_bytes().splitlines())], counts)
    written.write_bytes(b"".join(each + b"\n" for each in taken.written))


def run(engine: Callable[[Input, Path], list[str | Path]], given: Input) -> tuple[float, float]:
    """Return the CPU and the wall time of one run, in seconds.

    Raises:
        AssertionError: its finals are not those of the pure model.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = engine(given, Path(folder))
        before, began = children_cpu(), time.monotonic()
        environment = os.environ | {"JVM_ARGS": "-Xmx1500m"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        wall = time.monotonic() - began
        bury_orphans()
        lines = [line for part in Path(folder).rglob("part-*") for line in part.read_bytes().splitlines()]
        assert finals_in(lines) == given.finals
    return children_cpu() - before, wall


def children_cpu() -> float:
    """Return the CPU seconds of all processes that we have waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bury_orphans() -> None:
    """Wait for what the commands left behind."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def measure(sizes: tuple[int, int, int], rounds: int) -> dict[str, Cost]:
    """Return what each engine took for files of `sizes`: to start, and once and twice what is counted."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    engines = {"Flink job": flink, "windower": windower}
    costs = {name: Cost() for name in engines}
    with tempfile.TemporaryDirectory() as folder:
        files = {size: write(Path(folder), size) for size in set(sizes)}
        for _ in range(rounds):
            for name, engine in engines.items():
                took = {size: run(engine, file) for size, file in files.items()}
                costs[name].start_cpu.append(took[sizes[0]][0])
                costs[name].start_wall.append(took[sizes[0]][1])
                costs[name].cpu.append(took[sizes[1]][0])
                costs[name].twice_cpu.append(took[sizes[2]][0])
    return costs


def report(costs: dict[str, Cost], n: int) -> dict[str, dict[str, float]]:
    """Print the table, and return it."""
    result = {name: cost.figures(n) for name, cost in costs.items()}
    heads = (
        f"{'events/CPU-s':>13} {'us CPU/event':>13} {'first n, /CPU-s':>16} {'start, CPU s':>13} {'start, wall s':>14}"
    )
    print(f"{'':10} {heads}")
    for name, figures in result.items():
        speed, first = figures["events_per_cpu_second"], figures["from_the_start"]
        started = f"{figures['start_cpu_s']:13.1f} {figures['start_wall_s']:14.1f}"
        print(f"{name:10} {speed:13,.0f} {1e6 / speed:13.2f} {first:16,.0f} {started}")
    ratio = result["windower"]["events_per_cpu_second"] / result["Flink job"]["events_per_cpu_second"]
    print(f"the windower counts {ratio:.1f} times as many events a CPU-second")
    return result


def main() -> None:
    """Measure, print the table, and write it to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    parser.add_argument("--windower", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.windower:
        path, written, counts = options.windower
        be_the_windower(Path(path), Path(written), int(counts))
        return
    if not (FLINK / ".venv" / ".done").exists():
        print("Flink is not set up: call `make flink-setup` (800 MB)")
        sys.exit(0 if options.smoke else 1)
    n = SMOKE if options.smoke else options.records
    sizes = (n, n, n) if options.smoke else (1, n, 2 * n)  # equal sizes run once
    result = report(measure(sizes, 1 if options.smoke else options.rounds), n)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
