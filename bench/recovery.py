"""How long alerts stop when a process is killed -9: real windower, real KCL, real producer, over the emulator.

A new user acts 11 times every quarter of a second; that is an alert each. What is killed is started again at once, as a
supervisor would, and the time is from the kill to the next alert of a user that came after it. The producer's is to its
next row in stream 1. In the storm a part is killed every few seconds: how long was the longest time without an alert?
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.alert_latency import action
from tests.chain import Chain
from tests.emulator import ROOT, stop_group, wait_until
from tests.kills import KILLS
from tests.observed import SOURCE
from tests.streams import read

TARGET_P50_S: Final = 8.0
PROBE_EVERY_S: Final = 0.25
SETTLED_S: Final = 5.0
PATIENCE_S: Final = 120.0


@dataclass
class Probes:
    """Users that pass the limit, one after another, and when the alert about each was delivered."""

    chain: Chain
    sent: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin to send and to listen; clients are made here, in one thread."""
        for service in ("kinesis", "sqs"):
            self.chain.emulator.client(service)
        self._threads = [threading.Thread(target=each) for each in (self._send, self._listen)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End both."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        kinesis = self.chain.emulator.client("kinesis")
        while not self._stop.wait(PROBE_EVERY_S):
            user = f"probe-{time.time_ns()}"
            self.sent[user] = time.time()
            kinesis.put_records(
                StreamName=SOURCE,
                Records=[{"PartitionKey": f"{user}-{n}", "Data": action(user)} for n in range(11)],
            )

    def _listen(self) -> None:
        while not self._stop.wait(0.1):
            for alert, at in self.chain.take_messages():
                self.told.setdefault(alert.user_id, at)

    def next_after(self, moment: float) -> float:
        """Wait for the first alert about a user that came after `moment`; return when it was delivered."""
        found: list[float] = []

        def is_told() -> bool:
            found[:] = [at for user, at in dict(self.told).items() if self.sent.get(user, 0) > moment]
            return bool(found)

        wait_until(is_told, PATIENCE_S, f"an alert\n{self.chain.log_ends()}", 0.05)
        return min(found)

    def longest_silence(self, begin: float, end: float) -> float:
        """Return the longest time without an alert between two moments."""
        moments = [begin, *sorted(at for at in self.told.values() if begin < at < end), end]
        return max(after - before for before, after in pairwise(moments))


def single(chain: Chain, probes: Probes, kind: str, times: int) -> list[float]:
    """Return the seconds from each of `times` kills to the next alert."""
    took = []
    for _ in range(times):
        probes.next_after(time.time())
        time.sleep(SETTLED_S)  # checkpoints are written, pauses between starts are short again
        killed = KILLS[kind](chain)
        took.append(probes.next_after(killed) - killed)
    return took


def producer(chain: Chain, folder: Path, times: int) -> list[float]:
    """Return the seconds from each of `times` kills of a replay to the next row of the one that resumes it."""
    sample = str(ROOT / "data" / "rees46_multicategory_2019-10-01.csv.gz")
    replay = (sample, "--clock", "wall", "--rate", "50", "--state", str(folder / "state.json"))
    process, took = chain.start_replay(*replay), []
    kinesis = chain.emulator.client("kinesis")

    def rows() -> int:
        return sum(b'"product_id"' in data for data in read(kinesis, SOURCE))

    try:
        for _ in range(times):
            before = rows()
            wait_until(lambda least=before: rows() > least, PATIENCE_S, "rows", 0.1)  # type: ignore[misc]
            time.sleep(SETTLED_S)
            killed = time.time()
            stop_group(process)
            before = rows()
            process = chain.start_replay(*replay, "--resume")
            wait_until(lambda least=before: rows() > least, PATIENCE_S, "a row", 0.05)  # type: ignore[misc]
            took.append(time.time() - killed)
    finally:
        stop_group(process)
    return took


def storm(chain: Chain, probes: Probes, kills: int, between_s: tuple[float, float]) -> tuple[float, float, int]:
    """Kill one part after the other; return the longest time without an alert, how long it took, and the alerts."""
    rng = random.Random(3)
    probes.next_after(time.time())
    begin = time.time()
    for _ in range(kills):
        KILLS[rng.choice(list(KILLS))](chain)
        time.sleep(rng.uniform(*between_s))  # the random moment
    end = probes.next_after(time.time())
    told = sum(begin < at < end for at in probes.told.values())
    return probes.longest_silence(begin, end), end - begin, told


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--times", type=int, default=7, help="kills of each part")
    arguments.add_argument("--storm", type=int, default=20, help="kills of the storm")
    arguments.add_argument("--between", type=float, nargs=2, default=(8.0, 15.0), help="seconds between two of them")
    arguments.add_argument("--only", choices=[*KILLS, "producer", "storm"])
    arguments.add_argument("--smoke", action="store_true")
    arguments.add_argument("--json", type=Path)
    chosen = arguments.parse_args()
    times, kills, between = (1, 1, (1.0, 2.0)) if chosen.smoke else (chosen.times, chosen.storm, chosen.between)
    parts = [chosen.only] if chosen.only else ["windower", "storm"] if chosen.smoke else [*KILLS, "producer", "storm"]
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, Chain(Path(folder), WINDOWER_LEASE="10") as chain:
        load = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors"
        print(f"from a kill -9 to the next alert (producer: to its next row), seconds; {load}:")
        for part in parts:
            if part == "producer":
                figures[part] = producer(chain, Path(folder), times)
            elif part != "storm":
                with Probes(chain) as probes:
                    figures[part] = single(chain, probes, part, times)
            if part in figures:
                tell(part, figures[part])
        if "storm" in parts:
            with Probes(chain) as probes:
                silence, took, told = storm(chain, probes, kills, between)
            figures["storm"] = [silence, took, told]
            print(f"storm: {kills} kills in {took:.0f} s, {told} alerts; longest time without one {silence:.1f} s")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures))


def tell(part: str, took: list[float]) -> None:
    """Print one row."""
    p50 = statistics.median(took)
    verdict = "met" if p50 < TARGET_P50_S else "missed"
    print(
        f"  {part:9} p50 {p50:5.1f}  max {max(took):5.1f}  of {len(took)} (target {TARGET_P50_S:.0f}: {verdict})",
        flush=True,
    )


if __name__ == "__main__":
    main()
