"""When each part of the chain got on with its work, seen from outside: how long a kill kept it from that."""

import json
import statistics
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tests.chain import Chain
from tests.observed import SINK, SOURCE

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

UNDER_WAY_S = 0.25
"""What arrives so soon after a kill was sent before it."""

Kill = tuple[str, float]  # which part, and when (epoch seconds)


def moments(chain: Chain) -> dict[str, list[float]]:
    """Return when each part had work done, ascending: rows in stream 1, counts in stream 2, batches in the tables."""
    kinesis = chain.emulator.client("kinesis")
    batches = sorted(
        datetime.fromisoformat(line["time"]).timestamp()
        for line in map(json.loads, chain.detector.log.read_text().splitlines())
        if line["event"] == "batch_processed" and line["records"]
    )
    detector = dict.fromkeys(("detector", "daemon", "child"), batches)
    return {"producer": _arrivals(kinesis, SOURCE), "windower": _arrivals(kinesis, SINK), **detector}


def _arrivals(kinesis: "KinesisClient", stream: str) -> list[float]:
    found: list[float] = []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while page := kinesis.get_records(ShardIterator=iterator, Limit=10_000):
            found += [record["ApproximateArrivalTimestamp"].timestamp() for record in page["Records"]]
            if not page["Records"]:
                break
            iterator = page["NextShardIterator"]
    return sorted(found)


def recoveries(kills: Iterable[Kill], progress: Mapping[str, Sequence[float]]) -> list[tuple[str, float | None]]:
    """Return, for each kill, the seconds until its part got on; None when there was nothing more for it to do."""
    took: list[tuple[str, float | None]] = []
    for part, at in kills:
        times = progress[part]
        following = bisect_right(times, at + UNDER_WAY_S)
        took.append((part, times[following] - at if following < len(times) else None))
    return took


def table(took: Sequence[tuple[str, float | None]]) -> str:
    """Return one row a part: its kills, and the seconds until it got on, median and longest."""
    rows = [f"{'part':10}{'kills':>6}{'p50':>8}{'max':>8}  seconds from kill -9 to its next work"]
    for part in dict.fromkeys(name for name, _ in took):
        seconds = [each for name, each in took if name == part and each is not None]
        figures = f"{statistics.median(seconds):8.1f}{max(seconds):8.1f}" if seconds else f"{'-':>8}{'-':>8}"
        rows.append(f"{part:10}{sum(name == part for name, _ in took):6}{figures}")
    return "\n".join(rows)
