"""What a shard costs one windower: claims, idle polling, commits, and records spread over many shards.

    python -m bench.shards [--shards 1 64 256 1024] [--idle 10] [--json FILE] [--smoke]

The whole windower in this process, with AWS's own clients, against Kinesis and DynamoDB in another process's memory.
Times are wall time on this machine, with no network between; CPU is this process's own.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.in_process import SETTINGS, InProcessWindower, on_uvloop
from bench.stub_server import serving
from faust_kinesis.lease import Checkpoint
from windower.progress import Progress, to_metadata

COUNTS: Final = (1, 64, 256, 1024)
COMMITS: Final = 5
RECORDS: Final = 200_000  # over all shards


async def measure(url: str, shards: int, records: int, idle_s: float) -> dict[str, float]:
    """Return what one windower takes for `shards` shards of `records` records each."""
    windower = InProcessWindower(SETTINGS)
    began = time.perf_counter()
    async with windower.running():
        consumer = windower.app.consumer
        await windower.until(lambda: len(consumer.assignment()) == shards and len(consumer.readers.by_tp) == shards)
        claimed_s = time.perf_counter() - began
        await asyncio.sleep(2)
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(idle_s)
        idle = (time.process_time() - cpu) / (time.perf_counter() - wall)
        commit_s = statistics.median([await _commit_s(windower) for _ in range(COMMITS)])
        cpu, wall = time.process_time(), time.perf_counter()
        urllib.request.urlopen(  # noqa: S310, ASYNC210 - our own stub, at once
            urllib.request.Request(url, b"{}", {"x-amz-target": "Stub.Release"})  # noqa: S310 - our own
        ).close()
        await windower.until(lambda: windower.sample("windower_records_total", outcome="counted") >= shards * records)
        taken = time.process_time() - cpu
    return {
        "shards": shards,
        "claim_s": claimed_s,
        "idle_cpu_share": idle,
        "commit_ms": commit_s * 1000,
        "commit_micros_per_shard": commit_s / shards * 1e6,
        "records_per_cpu_s": shards * records / taken,
    }


async def _commit_s(windower: InProcessWindower) -> float:
    """Commit every shard's checkpoint as it is, with progress of the usual size; return the seconds."""
    keeper = windower.app.consumer.keeper
    progress = to_metadata(Progress(watermark=1_767_225_600_000, decided=str(10**55)))
    points = {
        key: Checkpoint(offset=lease.offset, sequence=lease.sequence, metadata=progress, version=lease.version + 1)
        for key, lease in keeper.held.items()
    }
    began = time.perf_counter()
    await keeper.commit(points)
    return time.perf_counter() - began


def run(counts: Sequence[int], idle_s: float, total: int) -> list[dict[str, float]]:
    """Measure each number of shards."""
    found = []
    for shards in counts:
        records = max(1, min(5_000, total // shards))
        with serving(shards, records) as url:
            access = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_ENDPOINT_URL": url}
            os.environ.update(access)
            found.append(on_uvloop(measure, url, shards, records, idle_s))
    return found


def main() -> None:
    """Print the table, and write it to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--idle", type=float, default=10.0, help="seconds of idle polling to look at")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    chosen = parser.parse_args()
    found = run((1, 8), 1.0, 2_000) if chosen.smoke else run(chosen.shards, chosen.idle, RECORDS)
    print(
        f"{'shards':>7} {'claimed in s':>13} {'idle CPU':>9} {'commit ms':>10} {'us a shard':>11} {'records/CPU s':>14}"
    )
    for row in found:
        print(
            f"{row['shards']:7.0f} {row['claim_s']:13.2f} {row['idle_cpu_share']:8.1%} {row['commit_ms']:10.1f} "
            f"{row['commit_micros_per_shard']:11.1f} {row['records_per_cpu_s']:14,.0f}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
