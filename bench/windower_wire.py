"""CPU a record of the windower from wire to wire, over an emulated AWS, and where it goes.

    python -m bench.windower_wire [--records 200000] [--rounds 3] [--json FILE] [--smoke]

The records are in stream 1 (two shards) before anything is measured; the windower runs in this process, so that its
CPU time is this process's; the emulator is another process. Each part is then done alone, by the same client on the
same bytes. botocore's own way with GetRecords is measured beside ours, in turn, as medians of CPU time.

windower           from its first lease to its last PutRecords
get records        GetRecords alone, with our parser; then with botocore's
decode, window     the pure model, encoding of the counts included
put counts         PutRecords alone, of as many counts
rest               what is left: Faust, leases, commits, cold caches
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from aiobotocore.session import AioSession, get_session

from bench.in_process import InProcessWindower, on_uvloop
from bench.windower_throughput import CLOSING, check, counts_of
from bench.windowing_pure import records, whole
from faust_kinesis.client import create_client
from faust_kinesis.outgoing import calls
from kinesis_wire.client import get_page, put_records
from storepulse.activity.actions import decode_actions
from tests.emulator import REGION, Emulator
from tests.streams import put, read
from windower.settings import WindowerSettings

SOURCE, SINK, SCRATCH = "wire-1", "wire-2", "wire-scratch"
SHARD_STARTS: Final = ("0", str(2**127))
TARGET_MICROS: Final = 10.0


class Stage:
    """The streams, and what goes through them."""

    def __init__(self, emulator: Emulator, n: int) -> None:
        """Put `n` records into stream 1, keyed by user, and a heartbeat into each shard that closes all windows."""
        self.kinesis = emulator.client("kinesis")
        for stream in (SOURCE, SINK, SCRATCH):
            self.kinesis.create_stream(StreamName=stream, ShardCount=2)
        self.emulator = emulator
        self.data = records(n)
        self.finals = whole([*self.data, CLOSING])
        users = decode_actions(self.data).users
        put(self.kinesis, SOURCE, [(str(user), payload) for user, payload in zip(users, self.data, strict=True)])
        for start in SHARD_STARTS:
            self.kinesis.put_record(StreamName=SOURCE, Data=CLOSING, PartitionKey="heartbeat", ExplicitHashKey=start)


async def cpu_of(work: Callable[[], Awaitable[object]]) -> float:
    """Return the CPU seconds of this process that `work` took."""
    start = time.process_time()
    await work()
    return time.process_time() - start


async def windower(stage: Stage, life: int) -> float:
    """Run a windower with a lease table of its own over all of stream 1; return its CPU seconds."""
    app_id = f"wire-{life}"
    own = InProcessWindower(
        WindowerSettings(
            app_id=app_id,
            source_stream=SOURCE,
            sink_stream=SINK,
            bad_events_queue="none",
            bad_events_bucket="none",
        )
    )
    expected = counts_of(stage.finals)
    async with own.running():
        await own.until(lambda: own.app.consumer.ready)
        return await cpu_of(lambda: own.until(lambda: own.counts() >= expected))


async def drain(page_of: Callable[[Any, str], Awaitable[tuple[int, str]]], session: Callable[[], Any]) -> float:
    """Read all of stream 1 shard by shard; return the CPU seconds."""
    async with session() as kinesis:

        async def everything() -> None:
            for shard in (await kinesis.list_shards(StreamName=SOURCE))["Shards"]:
                reply = await kinesis.get_shard_iterator(
                    StreamName=SOURCE, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )
                count, iterator = 1, reply["ShardIterator"]
                while count:
                    count, iterator = await page_of(kinesis, iterator)

        return await cpu_of(everything)


async def ours(kinesis: Any, iterator: str) -> tuple[int, str]:  # noqa: ANN401 - a client of botocore
    """Read one page as the transport does."""
    page = await get_page(kinesis, iterator, 10_000)
    return len(page.records), str(page.next_shard_iterator)


async def botocores(kinesis: Any, iterator: str) -> tuple[int, str]:  # noqa: ANN401 - a client of botocore
    """Read one page as botocore does."""
    page = await kinesis.get_records(ShardIterator=iterator, Limit=10_000)
    return len(page["Records"]), str(page["NextShardIterator"])


def our_client() -> Any:  # noqa: ANN401 - a client of botocore
    """Return the transport's client."""
    return create_client("kinesis", REGION)


def botocores_client() -> Any:  # noqa: ANN401 - a client of botocore
    """Return a client as a session makes it."""
    session: AioSession = get_session()
    return session.create_client("kinesis", region_name=REGION)


async def put_counts(counts: Sequence[bytes]) -> float:
    """Put `counts` as the transport does; return the CPU seconds."""
    async with our_client() as kinesis:

        async def everything() -> None:
            for call in calls(["user"] * len(counts), counts):
                await put_records(kinesis, SCRATCH, call)

        return await cpu_of(everything)


async def domain(stage: Stage) -> float:
    """Do what the pure model does; return the CPU seconds."""

    async def everything() -> None:
        whole([*stage.data, CLOSING])

    return await cpu_of(everything)


def measure(stage: Stage, rounds: int) -> dict[str, float]:
    """Return the median CPU microseconds a record of each part."""
    parts: dict[str, Callable[[int], Coroutine[Any, Any, float]]] = {
        "windower": lambda life: windower(stage, life),
        "get records": lambda _: drain(ours, our_client),
        "get records, botocore": lambda _: drain(botocores, botocores_client),
        "decode, window": lambda _: domain(stage),
        "put counts": lambda _: put_counts(stage.finals),
    }
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for round_ in range(rounds):
        for name, part in parts.items():
            taken[name].append(on_uvloop(part, round_))
    micros = {name: statistics.median(each) / len(stage.data) * 1e6 for name, each in taken.items()}
    known = sum(micros[name] for name in ("get records", "decode, window", "put counts"))
    return micros | {"rest": micros["windower"] - known}


def report(micros: dict[str, float]) -> None:
    """Print the table."""
    print(f"{'':22} {'us CPU/record':>14} {'of the whole':>13} {'records/s/core':>15}")
    for name, figure in micros.items():
        print(f"{name:22} {figure:14.2f} {figure / micros['windower']:13.0%} {1e6 / figure:15,.0f}")
    parser = micros["get records, botocore"] / micros["get records"]
    print(
        f"GetRecords: ours is {parser:.1f} times as fast as botocore's; target: {TARGET_MICROS:.0f} us for the windower"
    )


def main() -> None:
    """Print the table, and write it to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    options = parser.parse_args()
    n, rounds = (2_000, 1) if options.smoke else (options.records, options.rounds)
    with tempfile.TemporaryDirectory() as state, Emulator(Path(state)) as emulator:
        os.environ.update(emulator.env)
        stage = Stage(emulator, n)
        micros = measure(stage, rounds)
        check(sorted(set(read(stage.kinesis, SINK))), stage.finals, n)
    report(micros)
    if options.json:
        options.json.write_text(json.dumps(micros, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
