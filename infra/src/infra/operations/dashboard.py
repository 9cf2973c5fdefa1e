"""The dashboard: alarms on top, then a row a service, then the stores."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.names import STREAM_1, STREAM_2, Names
from infra.operations import metrics

Row = Sequence[tuple[str, Sequence[cloudwatch.IMetric]]]


class Dashboard(Construct):
    """One page for a deployment, named like it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: Names, alarms: Sequence[cloudwatch.IAlarm]
    ) -> None:
        """Show `alarms` and the services of the deployment that has `names`."""
        super().__init__(scope, construct_id)
        self._page = cloudwatch.Dashboard(self, "Page", dashboard_name=names.prefix)
        self._page.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=4))
        for title, row in rows(names).items():
            self._add(title, row)

    def _add(self, title: str, row: Row) -> None:
        self._page.add_widgets(cloudwatch.TextWidget(markdown=f"## {title}", width=24, height=1))
        graphs = [cloudwatch.GraphWidget(title=name, left=list(lines), width=6, height=6) for name, lines in row]
        self._page.add_widgets(*graphs)


def rows(names: Names) -> dict[str, Row]:
    """Return each row's graphs by its title."""
    return {
        "producer": [
            ("Records into stream 1", [metrics.of_stream("IncomingRecords", "Sum", STREAM_1)]),
            ("Refused by stream 1", [metrics.of_stream("WriteProvisionedThroughputExceeded", "Sum", STREAM_1)]),
            *_of_service("producer", names),
        ],
        "windower": [
            ("Behind the end of stream 1 (ms)", _own(metrics.WINDOWER, "MillisBehindLatest")),
            ("Counts into stream 2", [metrics.of_stream("IncomingRecords", "Sum", STREAM_2)]),
            *_of_service("windower", names),
            (
                "Event time stands still? (s)",
                _own(metrics.WINDOWER, "WatermarkAgeSeconds", "OldestUnacknowledgedSeconds"),
            ),
            ("Late and bad", [metrics.own(metrics.WINDOWER, each, "Sum") for each in ("LateRecords", "BadRecords")]),
            ("Paused shards", _own(metrics.WINDOWER, "PausedShards")),
            ("Age of what anybody reads of stream 1 (ms)", [metrics.age(STREAM_1)]),
        ],
        "detector": [
            ("Behind the end of stream 2 (ms)", _own(metrics.DETECTOR, "MillisBehindLatest")),
            (
                "Windows and alerts",
                [metrics.own(metrics.DETECTOR, each, "Sum") for each in ("WindowsProcessed", "AlertsRaised")],
            ),
            *_of_service("detector", names),
            (
                "From a count to its alert (s)",
                [metrics.own(metrics.DETECTOR, "AlertLatencySeconds", each) for each in ("Average", "Maximum")],
            ),
            ("Since the kcl_checkpoint (s)", _own(metrics.DETECTOR, "CheckpointAgeSeconds")),
            ("Most actions of a window", _own(metrics.DETECTOR, "ActionsPerWindow")),
            ("Age of what anybody reads of stream 2 (ms)", [metrics.age(STREAM_2)]),
        ],
        "stores": [
            ("Bad events", [metrics.bad_events(names), metrics.bad_events_waiting(names)]),
            (
                "Alerts delivered and not",
                [metrics.of_alerts(f"NumberOfNotifications{end}", names) for end in ("Delivered", "Failed")],
            ),
            ("Written to the tables", [_written(table) for table in (names.counts_table, names.alerts_table)]),
            ("Age of what is not archived yet (s)", [metrics.archive_age(names)]),
        ],
    }


def _of_service(service: str, names: Names) -> Row:
    return [
        (
            "Processor and memory (%)",
            [metrics.utilization(f"{what}Utilization", service, names) for what in ("CPU", "Memory")],
        ),
        (
            "Tasks, errors",
            [
                metrics.tasks("RunningTaskCount", service, names),
                metrics.tasks("DesiredTaskCount", service, names),
                metrics.errors(service),
            ],
        ),
    ]


def _own(namespace: str, *names: str) -> list[cloudwatch.IMetric]:
    return [metrics.own(namespace, name) for name in names]


def _written(table: str) -> cloudwatch.Metric:
    return metrics.of_table("ConsumedWriteCapacityUnits", table)
