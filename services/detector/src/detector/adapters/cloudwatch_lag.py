"""Tells CloudWatch how far the slowest shard is behind, from the supervisor: it lives whatever becomes of children."""

import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Final

from detector.adapters.aws_errors import translated
from detector.adapters.cloudwatch_metrics import NAMESPACE
from detector.figures import Lag
from servicekit.errors import PoisonRecordError, RetryableError
from servicekit.logs import get_logger

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

EVERY_SECONDS: Final = 20.0
_log = get_logger(__name__)


class CloudwatchLag:
    """Sends MillisBehindLatest and CheckpointAgeSeconds of the worst shard, without dimensions; nothing without one.

    So an alarm that takes silence for bad also goes off when no shard is read, or nobody is there to tell.
    """

    def __init__(self, client: "CloudWatchClient", read: Callable[[], Lag | None]) -> None:
        """Send what `read` returns; nothing runs yet."""
        self._client = client
        self._read = read

    def start(self) -> None:
        """Send every 20 s from now on, in a thread that ends with the process."""
        Thread(target=self._send_forever, name="cloudwatch-lag", daemon=True).start()

    def _send_forever(self) -> None:
        while True:
            try:
                self.send()
            except (RetryableError, PoisonRecordError) as error:
                _log.warning("metrics_dropped", reason=str(error)[:300])
            except Exception:  # noqa: BLE001 - such as a child's file that is half written; silence would be an alarm
                _log.warning("metrics_dropped", exc_info=True)
            time.sleep(EVERY_SECONDS)

    def send(self) -> None:
        """Send it once.

        Raises:
            RetryableError: CloudWatch did not take it.
        """
        if (lag := self._read()) is None:
            return
        with translated("putting metrics"):
            self._client.put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[
                    {"MetricName": "MillisBehindLatest", "Value": lag.millis_behind, "Unit": "Milliseconds"},
                    {"MetricName": "CheckpointAgeSeconds", "Value": lag.checkpoint_seconds, "Unit": "Seconds"},
                ],
            )
