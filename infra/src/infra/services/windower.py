"""The windower: counts stream 1 into stream 2."""

from typing import Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import STREAM_1, STREAM_2, WINDOWER_LEASES, Names
from infra.services.grants import (
    BAD_EVENTS,
    acknowledge_metrics,
    acknowledge_objects,
    allow,
    keep_rows,
    put_bad_events,
    put_metrics,
    read_stream,
    use_key,
)
from infra.services.worker import Place, Task, Worker

METRICS_NAMESPACE: Final = "Storepulse/Windower"


class Windower(Worker):
    """One works; in a deployment the new one stands by until the old one has given its leases back."""

    def __init__(self, scope: Construct, construct_id: str, *, place: Place, tasks: int) -> None:
        """Run it in `place`; with no task while another engine counts."""
        task = Task(
            service="windower",
            port=8082,
            cpu=512,
            memory=1024,
            tasks=tasks,
            stop_seconds=30,
            hands_over=True,
            environment=environment(place.names),
            statements=statements(place),
        )
        super().__init__(scope, construct_id, place=place, task=task)
        acknowledge_objects(self.definition.task_role, place.names, BAD_EVENTS)
        acknowledge_metrics(self.definition.task_role)


def environment(names: Names) -> dict[str, str]:
    """Return what it is told."""
    return {
        "WINDOWER_APP_ID": WINDOWER_LEASES,
        "WINDOWER_SOURCE_STREAM": STREAM_1,
        "WINDOWER_SINK_STREAM": STREAM_2,
        "WINDOWER_BAD_EVENTS_QUEUE": names.bad_events_queue,
        "WINDOWER_BAD_EVENTS_BUCKET": names.raw_bucket,
        "WINDOWER_EXCLUSIVE": "true",  # stream 1 is keyed by category
        "WINDOWER_WINDOW": "10",
        "WINDOWER_WATERMARK_DELAY": "10",
        "WINDOWER_LIMIT": "10",
        "WINDOWER_MAX_AHEAD": "PT5M",
        "WINDOWER_MAX_REPLAY_AHEAD": "P366D",
        "WINDOWER_MAX_DRIFT": "120",
        "WINDOWER_IDLE_AFTER": "60",
        "WINDOWER_LEASE": "10",
        "WINDOWER_COMMIT_INTERVAL": "1",
        "WINDOWER_METRICS_INTERVAL": "60",
        "WINDOWER_START": "TRIM_HORIZON",
        "WINDOWER_WORKER_ID": "auto",
    }


def statements(place: Place) -> list[iam.PolicyStatement]:
    """Return what it may do."""
    names = place.names
    return [
        read_stream(names, STREAM_1, "DescribeStreamSummary"),
        allow("kinesis", ["DescribeStreamSummary", "PutRecords"], names.stream_arn(STREAM_2)),
        keep_rows(names, WINDOWER_LEASES),
        *put_bad_events(names, "GetQueueAttributes"),
        put_metrics(METRICS_NAMESPACE),
        use_key(names, place.key),
    ]
