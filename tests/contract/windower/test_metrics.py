"""The windower's figures in CloudWatch."""

import pytest

from servicekit.errors import RetryableError
from tests.emulator import Emulator, free_port
from windower.adapters.aws_clients import open_clients
from windower.adapters.cloudwatch_metrics import NAMESPACE, CloudwatchMetrics
from windower.figures import Figures


@pytest.mark.emulator
async def test_each_figure_is_a_metric_without_dimensions(aws: Emulator) -> None:
    async with open_clients(region="us-east-1", endpoint_url=aws.url) as clients:
        await CloudwatchMetrics(clients.cloudwatch).put(Figures(millis_behind={"a": 7, "b": 5}), late=2, bad=1)
    metrics = aws.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {
        "BadRecords",
        "LateRecords",
        "MillisBehindLatest",
        "OldestUnacknowledgedSeconds",
        "PausedShards",
        "WatermarkAgeSeconds",
    }
    assert not any(metric["Dimensions"] for metric in metrics)


async def test_a_cloudwatch_that_is_out_of_reach_is_told_later() -> None:
    async with open_clients(region="us-east-1", endpoint_url=f"http://127.0.0.1:{free_port()}") as clients:
        with pytest.raises(RetryableError, match="putting metrics"):
            await CloudwatchMetrics(clients.cloudwatch).put(Figures(), late=0, bad=0)
