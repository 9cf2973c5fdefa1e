"""`MetricSink` on CloudWatch: six metrics of all shards together, without dimensions."""

from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from servicekit.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from windower.figures import Figures

NAMESPACE: Final = "Storepulse/Windower"


class CloudWatchClient(Protocol):
    """What is used of aiobotocore's client."""

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, object]]) -> "Awaitable[object]":  # noqa: N803 - AWS's names
        """Store values of metrics."""


class CloudwatchMetrics:
    """Each `put` is one call."""

    def __init__(self, client: CloudWatchClient) -> None:
        """Ask nothing yet."""
        self._client = client

    async def put(self, figures: "Figures", *, late: int, bad: int) -> None:
        """See `windower.ports.MetricSink`."""
        values = (
            ("WatermarkAgeSeconds", figures.watermark_age, "Seconds"),
            ("OldestUnacknowledgedSeconds", figures.oldest_unacknowledged, "Seconds"),
            ("MillisBehindLatest", max(figures.millis_behind.values(), default=0), "Milliseconds"),
            ("PausedShards", figures.paused_shards, "Count"),
            ("LateRecords", late, "Count"),
            ("BadRecords", bad, "Count"),
        )
        data: list[dict[str, object]] = [
            {"MetricName": name, "Value": value, "Unit": unit} for name, value, unit in values
        ]
        try:
            await self._client.put_metric_data(Namespace=NAMESPACE, MetricData=data)
        except (BotoCoreError, ClientError, aiohttp.ClientError, OSError) as error:
            msg = f"putting metrics: {error}"
            raise RetryableError(msg) from error
