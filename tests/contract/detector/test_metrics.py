"""CloudWatch's figures."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detector.adapters.aws_clients import AwsClients
from detector.adapters.cloudwatch_metrics import NAMESPACE, CloudwatchMetrics
from detector.ports import BatchFigures
from tests.emulator import Emulator, free_port, wait_until


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Yield an account of this test's own: what others count would be in the same figures."""
    with Emulator(tmp_path) as running:
        for name, value in running.env.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.emulator
def test_cloudwatch_has_the_extremes_and_sums_over_all_batches(account: Emulator) -> None:
    metrics = CloudwatchMetrics(AwsClients(region="us-east-1", endpoint=account.url, answer_seconds=5).cloudwatch)
    for actions in (3, 40):
        metrics.put(
            BatchFigures(windows=2, actions_min=1, actions_max=actions, actions_sum=actions + 1, alerts=actions > 10)
        )
    metrics.flush()
    now = datetime.now(UTC)

    def statistics(name: str) -> dict[str, float]:
        points = account.client("cloudwatch").get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=name,
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum", "Maximum"],
        )["Datapoints"]
        return {"sum": sum(point["Sum"] for point in points), "max": max(point["Maximum"] for point in points)}

    wait_until(lambda: account.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"], 5, "metrics")
    assert statistics("WindowsProcessed")["sum"] == 4
    assert statistics("AlertsRaised")["sum"] == 1
    assert statistics("ActionsPerWindow") == {"sum": 45, "max": 40}


def test_a_cloudwatch_that_is_out_of_reach_delays_nothing_and_is_counted() -> None:
    dropped: list[None] = []
    client = AwsClients(region="us-east-1", endpoint=f"http://127.0.0.1:{free_port()}", answer_seconds=1).cloudwatch
    metrics = CloudwatchMetrics(client, on_drop=lambda: dropped.append(None))
    metrics.put(BatchFigures(windows=1, actions_min=1, actions_max=1, actions_sum=1, alerts=0))
    wait_until(lambda: dropped, 10, "the set to be given up")
