"""`MetricSink` on CloudWatch: one set of metrics a batch, sent by a thread so that a batch never waits for it."""

from collections.abc import Callable
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final

from detector.adapters.aws_errors import translated
from detector.figures import BatchFigures, Spread
from servicekit.errors import PoisonRecordError, RetryableError
from servicekit.logs import get_logger

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef, StatisticSetTypeDef

NAMESPACE: Final = "Storepulse/Detector"
FLUSH_SECONDS: Final = 3.0
_TRIES: Final = 3
_log = get_logger(__name__)


class CloudwatchMetrics:
    """Sends the metrics of `data`, without dimensions.

    What is put while a request is under way is merged and goes with the next one; that loses nothing, as sums, counts
    and extremes can be merged. After three failures in a row a set is dropped, counted and logged.
    """

    def __init__(self, client: "CloudWatchClient", *, on_drop: Callable[[], None] = lambda: None) -> None:
        """Start the sending thread; `on_drop` is called when a set is given up."""
        self._client = client
        self._on_drop = on_drop
        self._changed = Condition()
        self._waiting: BatchFigures | None = None
        self._sending = False
        Thread(target=self._send_forever, name="cloudwatch", daemon=True).start()

    def put(self, figures: BatchFigures) -> None:
        """Leave them to the thread."""
        with self._changed:
            self._waiting = figures if self._waiting is None else self._waiting + figures
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait for the thread, three seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is None and not self._sending, FLUSH_SECONDS)

    def _send_forever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None)
                figures, self._waiting, self._sending = self._waiting, None, True
            if figures is not None:
                self._send(figures)
            with self._changed:
                self._sending = False
                self._changed.notify_all()

    def _send(self, figures: BatchFigures) -> None:
        for left in reversed(range(_TRIES)):
            try:
                with translated("putting metrics"):
                    self._client.put_metric_data(Namespace=NAMESPACE, MetricData=data(figures))
            except (RetryableError, PoisonRecordError) as error:
                if not left:
                    _log.warning("metrics_dropped", reason=str(error)[:300])
                    self._on_drop()
            else:
                return


def data(figures: BatchFigures) -> "list[MetricDatumTypeDef]":
    """Return the metrics of `figures`, as PutMetricData takes them."""
    counts: list[MetricDatumTypeDef] = [
        {"MetricName": "WindowsProcessed", "Value": figures.actions.n, "Unit": "Count"},
        {"MetricName": "AlertsRaised", "Value": figures.alerts, "Unit": "Count"},
    ]
    if figures.actions_left_out:
        counts.append({"MetricName": "ActionsLeftOut", "Value": figures.actions_left_out, "Unit": "Count"})
    return [
        *counts,
        *_spread("ActionsPerWindow", figures.actions, "Count"),
        *_spread("AlertLatencySeconds", figures.alert_seconds, "Seconds"),
    ]


def _spread(name: str, spread: Spread, unit: "StandardUnitType") -> "list[MetricDatumTypeDef]":
    values: StatisticSetTypeDef = {
        "SampleCount": spread.n,
        "Sum": spread.total,
        "Minimum": spread.least,
        "Maximum": spread.most,
    }
    return [{"MetricName": name, "StatisticValues": values, "Unit": unit}] if spread.n else []
