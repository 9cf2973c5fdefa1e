"""CloudWatch's figures."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detector.adapters.aws_clients import AwsClients
from detector.adapters.cloudwatch_lag import CloudwatchLag
from detector.adapters.cloudwatch_metrics import NAMESPACE, CloudwatchMetrics
from detector.figures import BatchFigures, Lag, Spread
from servicekit.errors import RetryableError
from tests.emulator import Emulator, free_port, wait_until


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Yield an account of this test's own: what others count would be in the same figures."""
    with Emulator(tmp_path) as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        yield running


def statistics(account: Emulator, name: str) -> dict[str, float]:
    """Return sum and maximum of a metric of the detector in the last hour."""
    now = datetime.now(UTC)
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum", "Maximum"],
    )["Datapoints"]
    return {"sum": sum(point["Sum"] for point in points), "max": max(point["Maximum"] for point in points)}


@pytest.mark.emulator
def test_cloudwatch_has_the_extremes_and_sums_over_all_batches(account: Emulator) -> None:
    metrics = CloudwatchMetrics(AwsClients(region="us-east-1", endpoint=account.url, answer_seconds=5).cloudwatch)
    for actions in (3, 40):
        metrics.put(
            BatchFigures(
                actions=Spread.of([1, actions]), alerts=actions > 10, alert_seconds=Spread.of([actions / 10] * 2)
            )
        )
    metrics.flush()
    wait_until(lambda: account.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"], 5, "metrics")
    assert statistics(account, "WindowsProcessed")["sum"] == 4
    assert statistics(account, "AlertsRaised")["sum"] == 1
    assert statistics(account, "ActionsPerWindow") == {"sum": 45, "max": 40}
    assert statistics(account, "AlertLatencySeconds") == {"sum": pytest.approx(8.6), "max": 4}


def test_a_cloudwatch_that_is_out_of_reach_delays_nothing_and_is_counted() -> None:
    dropped: list[None] = []
    client = AwsClients(region="us-east-1", endpoint=f"http://127.0.0.1:{free_port()}", answer_seconds=1).cloudwatch
    metrics = CloudwatchMetrics(client, on_drop=lambda: dropped.append(None))
    metrics.put(BatchFigures(actions=Spread.of([1])))
    wait_until(lambda: dropped, 10, "the set to be given up")


@pytest.mark.emulator
def test_the_lag_of_the_worst_shard_is_told_and_nothing_while_no_shard_is_read(account: Emulator) -> None:
    client = AwsClients(region="us-east-1", endpoint=account.url, answer_seconds=5).cloudwatch
    CloudwatchLag(client, lambda: None).send()
    assert account.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"] == []
    CloudwatchLag(client, lambda: Lag(millis_behind=70_000, checkpoint_seconds=130)).send()
    assert statistics(account, "MillisBehindLatest")["max"] == 70_000
    assert statistics(account, "CheckpointAgeSeconds")["max"] == 130
    assert not any(metric["Dimensions"] for metric in account.client("cloudwatch").list_metrics()["Metrics"])


def test_a_cloudwatch_that_is_out_of_reach_is_told_the_lag_later() -> None:
    client = AwsClients(region="us-east-1", endpoint=f"http://127.0.0.1:{free_port()}", answer_seconds=1).cloudwatch
    with pytest.raises(RetryableError):
        CloudwatchLag(client, lambda: Lag(millis_behind=1, checkpoint_seconds=1)).send()
