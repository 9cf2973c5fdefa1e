"""What the windower as a process tells Prometheus and CloudWatch when something is wrong: each figure moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from storepulse.instants import format_instant
from tests.emulator import Emulator, wait_until
from tests.integration.windower.test_windower import SHARD_KEYS, START, Stage

pytestmark = pytest.mark.emulator
NAMESPACE = "Storepulse/Windower"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Yield a stage in an account of this test's own: what others count would be in the same figures."""
    with Emulator(tmp_path) as emulator:
        made = Stage(emulator, tmp_path)
        made.windower._environment["WINDOWER_METRICS_INTERVAL"] = "0.5"
        yield made
        made.windower.stop()


def act(stage: Stage, shard: int, at: int, user: str = "u") -> None:
    record = {"user_id": user, "event_type": "view", "txn_timestamp": format_instant(START + at)}
    put(stage, shard, msgspec.json.encode(record))


def put(stage: Stage, shard: int, data: bytes) -> None:
    stage.kinesis.put_record(StreamName=stage.source, Data=data, PartitionKey="any", ExplicitHashKey=SHARD_KEYS[shard])


def told(stage: Stage, name: str, statistic: str = "Maximum") -> float:
    """Return the sum or the maximum of what CloudWatch was told of a metric without dimensions."""
    now = datetime.now(UTC)
    points = stage.emulator.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum", "Maximum"],
    )["Datapoints"]
    return sum(point[statistic] for point in points)  # type: ignore[literal-required] # Sum or Maximum


def test_late_and_bad_records_are_told_of_once_each(stage: Stage) -> None:
    with stage.windower:
        act(stage, 0, 0)
        stage.send_heartbeats(60_000)
        wait_until(lambda: stage.windower.metric("windower_windows_total"), 30, "a window fired", 0.2)
        for _ in range(3):
            act(stage, 0, 0)
        put(stage, 1, b"no JSON")
        wait_until(lambda: told(stage, "BadRecords", "Sum"), 30, "the bad record told", 0.2)
        wait_until(lambda: told(stage, "LateRecords", "Sum") == 3, 30, "the late records told", 0.2)
        assert stage.windower.terminate() == 0
    assert told(stage, "BadRecords", "Sum") == 1
    assert told(stage, "LateRecords", "Sum") == 3
    metrics = stage.emulator.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"]
    assert not any(metric["Dimensions"] for metric in metrics)


def test_a_shard_that_holds_event_time_back_makes_watermark_and_counts_old_until_it_goes_on(stage: Stage) -> None:
    metric = stage.windower.metric
    with stage.windower:
        act(stage, 1, 0)
        at = 0

        def held_back() -> bool:
            nonlocal at
            at += 1_000
            act(stage, 0, at)
            return metric("windower_watermark_age_seconds") > 4

        wait_until(held_back, 60, "the watermark's age to grow", 0.3)
        wait_until(lambda: told(stage, "WatermarkAgeSeconds") > 3, 30, "its age told", 0.2)
        wait_until(lambda: told(stage, "OldestUnacknowledgedSeconds") > 3, 30, "the age of the oldest batch told", 0.2)
        stage.send_heartbeats(at + 60_000)
        wait_until(lambda: metric("windower_oldest_unacknowledged_seconds") == 0, 30, "all acknowledged", 0.2)
        assert metric("windower_watermark_age_seconds") < 4
