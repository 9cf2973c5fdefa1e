"""How many counts a second the detector stores, side by side with what it stands on, over one emulated AWS.

    python -m bench.detector_counts [--counts 40000] [--smoke]

memory      the use case on adapters in memory: our own CPU
raw         BatchWriteItem with boto3 alone, 25 items a call, as many threads as the detector has
use case    the use case on DynamoDB, without the KCL; its ratio to raw
kcl no-op   the KCL daemon with children that do nothing
detector    the KCL daemon with the detector's children; its ratio to the no-op and to raw
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from detector.adapters.aws_clients import AwsClients
from detector.adapters.dynamo_counts import DynamoCounts
from detector.handlers import Place
from detector.records import Record
from detector.workers import Workers
from servicekit.clock import SystemClock
from storepulse.activity.counts import WindowCount, encode_count
from tests.emulator import Emulator, wait_until
from tests.integration.detector.account import Account
from tests.integration.detector.running import RunningDetector
from tests.unit.detector.builders import Detector, count

THREADS = 8
BATCH = 2000


class NoOp(RunningDetector):
    """The same daemon with children that do nothing."""

    command = (sys.executable, str(Path(__file__).with_name("detector_noop.py")))


def report(name: str, counts: int, seconds: float, cpu: float | None, *ratios: str) -> float:
    """Print one line; return counts a second."""
    rate = counts / seconds
    used = f"{cpu / counts * 1e6:6.1f} us client CPU a count" if cpu is not None else " " * 29
    print(f"{name:10} {rate:9,.0f} counts/s  {used}  {'  '.join(ratios)}", flush=True)
    return rate


@contextmanager
def timed() -> Iterator[list[float]]:
    """Yield a list that holds wall and CPU seconds afterwards."""
    spent: list[float] = []
    wall, cpu = time.perf_counter(), time.process_time()
    yield spent
    spent += [time.perf_counter() - wall, time.process_time() - cpu]


def batches(counts: Sequence[WindowCount]) -> list[list[Record]]:
    """Return `counts` as the KCL would hand them over."""
    records = [Record(data=encode_count(each), sequence_number=str(place)) for place, each in enumerate(counts)]
    return [records[start : start + BATCH] for start in range(0, len(records), BATCH)]


def in_memory(counts: Sequence[WindowCount]) -> None:
    """Measure our own CPU."""
    use_case, work = Detector().use_case(Detector().counts), batches(counts)
    with timed() as spent:
        for batch in work:
            use_case(batch, Place(stream="counts", shard_id="s"))
    report("memory", len(counts), spent[0], spent[1])


def raw_writer(account: Account) -> Callable[[Sequence[WindowCount]], None]:
    """Return what writes counts with BatchWriteItem alone."""
    config = Config(max_pool_connections=THREADS, retries={"total_max_attempts": 1})
    client = boto3.client("dynamodb", endpoint_url=account.emulator.url, region_name="us-east-1", config=config)
    pool = ThreadPoolExecutor(THREADS)

    def write(chunk: Sequence[WindowCount]) -> None:
        items: list[dict[str, Any]] = [
            {
                "pk": {"S": f"userid#{each.user_id}#appserver#1"},
                "sk": {"S": each.window_end},
                "num_actions": {"N": str(each.num_actions)},
                "window_start": {"S": each.window_start},
                "kind": {"S": each.kind},
                "processed_at": {"S": each.window_end},
                "ttl": {"N": "1790000000"},
            }
            for each in chunk
        ]
        client.batch_write_item(RequestItems={account.counts_table: [{"PutRequest": {"Item": item}} for item in items]})

    return lambda counts: [
        *pool.map(write, [counts[start : start + 25] for start in range(0, len(counts), 25)])
    ].clear()


def use_case_writer(account: Account) -> Callable[[Sequence[WindowCount]], None]:
    """Return what writes counts by the use case on DynamoDB, records to items."""
    connection = AwsClients(region="us-east-1", endpoint=account.emulator.url, connections=THREADS).pynamodb(
        account.counts_table
    )
    store = DynamoCounts(connection, account.counts_table, SystemClock(), app_server="1", ttl=timedelta(days=1))
    use_case = replace(Detector().use_case(store), workers=Workers(THREADS))

    def write(counts: Sequence[WindowCount]) -> None:
        for batch in batches(counts):
            use_case(batch, Place(stream="counts", shard_id="s"))

    return write


def without_kcl(account: Account, counts: Sequence[WindowCount]) -> float:
    """Measure BatchWriteItem and the use case, a slice of the counts each in turn; return the former's rate."""
    writers = {"raw": raw_writer(account), "use case": use_case_writer(account)}
    spent = {name: [0.0, 0.0] for name in writers}
    for start in range(0, len(counts), BATCH):
        for name, write in writers.items():
            with timed() as slice_spent:
                write(counts[start : start + BATCH])
            spent[name] = [sum(pair) for pair in zip(spent[name], slice_spent, strict=True)]
    raw = report("raw", len(counts), spent["raw"][0], spent["raw"][1])
    seconds, cpu = spent["use case"]
    report("use case", len(counts), seconds, cpu, f"{len(counts) / seconds / raw:.2f} of raw")
    return raw


def through_kcl(
    name: str, running: RunningDetector, counts: int, ratio: Callable[[float], str], seen: list[int]
) -> float:
    """Measure a daemon from its first child's start to its last batch; note each child's largest size in MB."""

    def done() -> bool:
        seen[:] = [max([*seen, *(child.memory_info().rss >> 20 for child in running.children())], default=0)]
        return counts <= sum(int(event["records"]) for event in running.events("batch_processed"))

    with running:
        wait_until(done, 900, f"{name}, log {running.log}", every_s=0.5)
        lines = running.events()
    began = min(_time(line) for line in lines if line["event"] == "shard_initialized")
    ended = max(_time(line) for line in lines if line["event"] == "batch_processed")
    seconds = (ended - began).total_seconds()
    return report(name, counts, seconds, None, ratio(counts / seconds))


def _time(line: dict[str, str]) -> datetime:
    return datetime.fromisoformat(line["time"])


def main() -> None:
    """Run them all."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--counts", type=int, default=40_000)
    arguments.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    options = arguments.parse_args()
    total = 200 if options.smoke else options.counts
    folder = Path(tempfile.mkdtemp(prefix="storepulse-bench-"))
    counts = [count(f"user{n}", 1 + n % 10, n % 50) for n in range(total)]
    with Emulator(folder) as emulator:
        os.environ.update(emulator.env)
        in_memory(counts)
        account = Account(emulator)
        baseline = without_kcl(account, counts)
        account.put(*counts)
        small = Account(emulator)
        small.put(*counts[: total // 10])
        sizes: list[list[int]] = [[], [], []]
        no_op = through_kcl("kcl no-op", NoOp(account, folder), total, lambda _: "", sizes[0])
        account.application += "-again"  # reads the stream from its start once more
        through_kcl(
            "detector",
            RunningDetector(account, folder),
            total,
            lambda rate: f"{rate / no_op:.2f} of kcl no-op  {rate / baseline:.2f} of raw",
            sizes[1],
        )
        through_kcl("a tenth", RunningDetector(small, folder), total // 10, lambda _: "", sizes[2])
        print(f"memory of a child: {sizes[2][0]} MB after {total // 10:,} counts, {sizes[1][0]} MB after {total:,}")


if __name__ == "__main__":
    main()
