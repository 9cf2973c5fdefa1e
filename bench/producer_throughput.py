"""How fast the producer is, against a boto3 put_record loop and against what the emulated Kinesis accepts.

    python -m bench.producer_throughput [--json FILE] [--rows N] [--smoke]

All figures of one run come from the same emulated AWS on the same machine, one after the other, in turns. "50 times a
put_record loop" is the claim; the raw loop (bodies made beforehand, nothing else done) says what part of the
emulator's own speed the producer reaches.
"""

import argparse
import asyncio
import cProfile
import gzip
import io
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinesis_wire.records import Entry as WireEntry
from kinesis_wire.records import encode_request
from producer.adapters.file_sources import FileSources
from producer.adapters.kinesis_stream import connect
from producer.adapters.memory import MemoryBadEvents, MemoryStamps, MemoryStates
from producer.options import ReplayOptions
from producer.ports import Entry
from producer.reading.csv import Row
from producer.reading.files import FileReader
from producer.replay import Replay
from producer.run import World
from servicekit.clock import SystemClock
from storepulse.instants import format_instant
from storepulse.replay.event_times import format_event_time
from storepulse.replay.rows import COLUMNS, Encoded
from tests.emulator import REGION, Emulator

STREAM = "bench"
FIRST = 1_569_888_000_000
HEADER = ",".join(COLUMNS) + "\n"
STAMP = format_instant(FIRST)


def write_rows(path: Path, rows: int, per_second: int = 1000) -> int:
    """Write a file like REES46's, denser; return its bytes."""
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(HEADER)
        for n in range(rows):
            time_text = format_event_time(FIRST + n // per_second * 1000)
            session = f"{n * 2654435761 % 2**32:08d}-1333-4348-816d-c02912f6ebd4"
            category = 2_053_013_552_326_770_905 + n * 7919 % 500
            price = f"{n % 900}.{n % 100:02d}"
            user = 512_000_000 + n * 31 % 100_000
            product = f"{1_000_000 + n % 5000},{category},electronics.smartphone,samsung"
            file.write(f"{time_text},view,{product},{price},{user},{session}\n")
    return path.stat().st_size


def entries_of(path: Path, rows: int) -> list[Entry]:
    """Return the first rows as records."""
    reader, found = FileReader(str(path), "category_id"), []
    for piece in reader.feed(path.read_bytes()):
        for row in piece.rows:
            encoded = piece.codec.encode(row.line, row.values, STAMP) if isinstance(row, Row) else None
            if isinstance(encoded, Encoded):
                found.append(Entry(encoded.payload, encoded.key, None, encoded.event_id))
        if len(found) >= rows:
            break
    return found[:rows]


def request_body(entries: list[Entry]) -> bytes:
    """Return the body of a PutRecords request, made as the producer makes it."""
    return encode_request(
        {"StreamName": STREAM}, [WireEntry(entry.payload, entry.key, entry.hash_key) for entry in entries]
    )


def put_record_loop(emulator: Emulator, entries: list[Entry]) -> float:
    """Put records one by one with boto3, as the original does; return records/s."""
    client = emulator.client("kinesis")
    began = time.perf_counter()
    for entry in entries:
        client.put_record(StreamName=STREAM, Data=entry.payload, PartitionKey=entry.key)
    return len(entries) / (time.perf_counter() - began)


async def raw_loop(emulator: Emulator, entries: list[Entry]) -> tuple[float, float]:
    """Put bodies made beforehand, two requests at a time; return records/s and body bytes/s."""
    import aiohttp  # noqa: PLC0415 - only here: the barest client there is

    bodies = [request_body(entries[at : at + 500]) for at in range(0, len(entries), 500)]
    headers = {"X-Amz-Target": "Kinesis_20131202.PutRecords", "Content-Type": "application/x-amz-json-1.1"}
    queue = iter(bodies)
    began = time.perf_counter()

    async def send(session: aiohttp.ClientSession) -> None:
        for body in queue:
            async with session.post(emulator.url, data=body, headers=headers) as reply:
                assert reply.status == 200, await reply.text()  # noqa: PLR2004
                await reply.read()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(send(session))
    spent = time.perf_counter() - began
    return len(entries) / spent, sum(map(len, bodies)) / spent


async def replay(emulator: Emulator, path: Path, clock: str) -> dict[str, float]:
    """Replay `path` as fast as it goes; return what it took."""
    options = ReplayOptions.model_validate({"sources": [str(path)], "speed": "max", "clock": clock, "drain": False})
    async with connect(STREAM, region=REGION, endpoint_url=emulator.url, timeout_s=30, connections=16) as stream:
        world = World(
            stream=stream,
            sources=FileSources(),
            bad_events=MemoryBadEvents(),
            states=MemoryStates(),
            stamps=MemoryStamps(),
            clock=SystemClock(),
        )
        playing = Replay("bench", options, world)
        cpu, began = time.process_time(), time.perf_counter()
        await playing.run()
        spent, used = time.perf_counter() - began, time.process_time() - cpu
    sent = playing.progress.sent
    return {
        "records_per_s": sent / spent,
        "cpu_us_per_record": used * 1e6 / sent,
        "records": sent,
        "requests": playing.progress.requests,
    }


def stages(path: Path, rows: int) -> dict[str, float]:
    """Return the CPU microseconds a record of each stage alone."""
    content, spent = path.read_bytes(), {}
    reader = FileReader(str(path), "category_id")
    began = time.process_time()
    pieces = list(reader.feed(content))
    spent["inflate, cut and split"] = time.process_time() - began
    began = time.process_time()
    for piece in pieces:
        for row in piece.rows:
            if isinstance(row, Row):
                piece.codec.event_time(row.values)
    spent["event time"] = time.process_time() - began
    began = time.process_time()
    encoded = [
        piece.codec.encode(row.line, row.values, STAMP)
        for piece in pieces
        for row in piece.rows
        if isinstance(row, Row)
    ]
    spent["validate, encode, event_id"] = time.process_time() - began
    entries = [Entry(each.payload, each.key, None, each.event_id) for each in encoded if isinstance(each, Encoded)]
    began = time.process_time()
    for at in range(0, len(entries), 500):
        request_body(entries[at : at + 500])
    spent["request body (base64, JSON)"] = time.process_time() - began
    return {name: seconds * 1e6 / rows for name, seconds in spent.items()}


def memory_of(rows: int) -> float:
    """Return the peak memory, in MB, of a process that replays so many rows into memory's own sink."""
    run = subprocess.run(  # noqa: S603 - this file
        [sys.executable, __file__, "--memory", str(rows)], check=True, capture_output=True, text=True, env=os.environ
    )
    return float(run.stdout)


def peak_mb() -> float:
    """Return this process's peak; not getrusage's, which begins with that of the process that started this one."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def _replay_into_nothing(path: Path) -> None:
    class Sink:
        """Takes everything and keeps nothing."""

        def __init__(self) -> None:
            from producer.adapters.memory import MemoryStream  # noqa: PLC0415 - only in the child

            self._stream = MemoryStream(2)
            self.shards = self._stream.shards
            self.tail = self._stream.tail

        async def put(self, entries: Any) -> Any:  # noqa: ANN401 - the port's form
            answers = await self._stream.put(entries)
            for records in self._stream.records.values():
                records.clear()
            return answers

    bad, states, stamps, clock = MemoryBadEvents(), MemoryStates(), MemoryStamps(), SystemClock()
    world = World(stream=Sink(), sources=FileSources(), bad_events=bad, states=states, stamps=stamps, clock=clock)
    await Replay("m", ReplayOptions(sources=[str(path)], speed="max", drain=False), world).run()


def profile(path: Path) -> str:
    """Return where the time goes, from a run into a sink that costs nothing."""
    profiler = cProfile.Profile()
    profiler.runcall(uvloop.run, _replay_into_nothing(path))
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(18)
    return "\n".join(line for line in out.getvalue().splitlines() if line.strip())


def main() -> None:
    """Measure, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    arguments = parser.parse_args()
    rows = 500 if arguments.smoke else arguments.rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv.gz"
        if arguments.memory:
            write_rows(path, arguments.memory)
            uvloop.run(_replay_into_nothing(path))
            print(peak_mb())
            return
        write_rows(path, rows)
        if arguments.profile:
            print(profile(path))
            return
        figures = measure(path, rows, Path(folder))
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(path: Path, rows: int, folder: Path) -> dict[str, Any]:
    """Return all figures; each pair of rivals in turns, the median of three."""
    entries = entries_of(path, min(rows, 50_000))
    turns: dict[str, list[float]] = {"put_record": [], "raw": [], "raw_bytes": [], "wall": [], "event": []}
    cpu: list[float] = []
    with Emulator(folder) as emulator:
        os.environ.update(emulator.env)
        for _ in range(3):
            emulator.client("kinesis").create_stream(StreamName=STREAM, ShardCount=2)
            turns["put_record"].append(put_record_loop(emulator, entries[:1500]))
            records, size = uvloop.run(raw_loop(emulator, entries))
            turns["raw"].append(records)
            turns["raw_bytes"].append(size)
            for clock in ("wall", "event"):
                took = uvloop.run(replay(emulator, path, clock))
                turns[clock].append(took["records_per_s"])
                cpu.append(took["cpu_us_per_record"])
            emulator.client("kinesis").delete_stream(StreamName=STREAM)
    middle = {name: statistics.median(values) for name, values in turns.items()}
    small, large = memory_of(rows), memory_of(rows * 10)
    return {
        "rows": rows,
        "put_record_records_per_s": middle["put_record"],
        "producer_records_per_s": middle["wall"],
        "producer_event_clock_records_per_s": middle["event"],
        "ratio_to_put_record": middle["wall"] / middle["put_record"],
        "raw_records_per_s": middle["raw"],
        "raw_bytes_per_s": middle["raw_bytes"],
        "share_of_raw": middle["wall"] / middle["raw"],
        "cpu_us_per_record": statistics.median(cpu),
        "stages_cpu_us_per_record": stages(path, rows),
        "memory_mb": {str(rows): small, str(rows * 10): large},
    }


def report(figures: dict[str, Any]) -> None:
    """Print the figures."""
    print(f"boto3 put_record loop    {figures['put_record_records_per_s']:>12,.0f} records/s")
    print(f"producer                 {figures['producer_records_per_s']:>12,.0f} records/s, wall clock")
    print(f"                         {figures['producer_event_clock_records_per_s']:>12,.0f} records/s, event clock")
    print(f"ratio                    {figures['ratio_to_put_record']:>12.1f} x")
    accepted = figures["raw_bytes_per_s"] / 1e6
    print(f"emulator, raw PutRecords {figures['raw_records_per_s']:>12,.0f} records/s, {accepted:.1f} MB/s of bodies")
    print(f"producer / raw           {figures['share_of_raw']:>12.0%}")
    print(f"CPU of the producer      {figures['cpu_us_per_record']:>12.1f} us/record, of which")
    for name, spent in figures["stages_cpu_us_per_record"].items():
        print(f"  {name:<30} {spent:>5.1f}")
    memory = ", ".join(f"{int(rows):,} rows {megabytes:.0f} MB" for rows, megabytes in figures["memory_mb"].items())
    print(f"peak memory              {memory}")


if __name__ == "__main__":
    main()
