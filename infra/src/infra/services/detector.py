"""The detector: stores the counts of stream 2 and raises alerts."""

from math import ceil
from typing import Final, NamedTuple

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import DETECTOR_APPLICATION, STREAM_2, Names
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

METRICS_NAMESPACE: Final = "Storepulse/Detector"
LEASES_BY_OWNER: Final = "LeaseOwnerToLeaseKeyIndex"
"""The KCL's index of its lease table."""


FIXED_MIB: Final = 512
"""Of a task, whatever it reads: the daemon (heap and JVM), the supervisor and the scratch folder."""
SHARD_MIB: Final = 96
"""The child of one shard: 85 MB measured, and room for a large batch."""


class Size(NamedTuple):
    """One of Fargate's."""

    cpu: int
    memory: int


def size(shards: int, tasks: int) -> Size:
    """Return the size of each of `tasks` that share `shards`, so that the others can take over what one had.

    Raises:
        ValueError: no task of Fargate's up to 4 processors is large enough.
    """
    each = ceil(shards / max(1, tasks - 1))
    needed = FIXED_MIB + SHARD_MIB * each
    for cpu, least, most in ((1024, 2048, 8192), (2048, 4096, 16_384), (4096, 8192, 30_720)):
        if needed <= most:
            return Size(cpu, max(least, 1024 * ceil(needed / 1024)))
    msg = f"{each} shards a task need {needed} MiB: more detector_tasks are needed"
    raise ValueError(msg)


class Detector(Worker):
    """One, whose fixed worker id gets its shards back in seconds, so that the old task ends before the new one starts.

    Several are each named after its host, and share the shards.
    """

    def __init__(self, scope: Construct, construct_id: str, *, place: Place, tasks: int, shards: int) -> None:
        """Run `tasks` in `place`, for so many `shards` of stream 2."""
        cpu, memory = size(shards, tasks)
        task = Task(
            service="detector",
            port=8083,
            cpu=cpu,
            memory=memory,
            tasks=tasks,
            stop_seconds=60,  # longer than DETECTOR_SHUTDOWN_GRACE_SECONDS
            hands_over=tasks > 1,
            environment=environment(place.names, worker_id="detector-1" if tasks == 1 else "auto"),
            statements=statements(place),
        )
        super().__init__(scope, construct_id, place=place, task=task)
        role = self.definition.task_role
        acknowledge_objects(role, place.names, BAD_EVENTS)
        acknowledge_metrics(role)


def environment(names: Names, worker_id: str) -> dict[str, str]:
    """Return what it is told."""
    return {
        "DETECTOR_STREAM": STREAM_2,
        "DETECTOR_APPLICATION": DETECTOR_APPLICATION,
        "DETECTOR_WORKER_ID": worker_id,
        "DETECTOR_COUNTS_TABLE": names.counts_table,
        "DETECTOR_ALERTS_TABLE": names.alerts_table,
        "DETECTOR_ALERTS_TOPIC_ARN": names.arn("sns", names.alerts_topic),
        "DETECTOR_BAD_EVENTS_QUEUE": names.bad_events_queue,
        "DETECTOR_BAD_EVENTS_BUCKET": names.raw_bucket,
        "DETECTOR_INITIAL_POSITION": "TRIM_HORIZON",
        "DETECTOR_POLL_MILLIS": "200",
        "DETECTOR_MAX_RECORDS": "2000",
        "DETECTOR_FAILOVER_MILLIS": "5000",
        "DETECTOR_CHECKPOINT_SECONDS": "1",
        "DETECTOR_SHUTDOWN_GRACE_SECONDS": "40",
        "DETECTOR_JAVA_HEAP_MB": "256",
        "DETECTOR_APP_SERVER": "1",
        "DETECTOR_STORE_FROM": "1",
        "DETECTOR_LIMIT": "10",
        "DETECTOR_COOLDOWN_SECONDS": "300",
        "DETECTOR_COUNTS_TTL_DAYS": "30",
        "DETECTOR_ALERTS_TTL_DAYS": "365",
        "DETECTOR_THREADS": "8",
    }


def statements(place: Place) -> list[iam.PolicyStatement]:
    """Return what it may do."""
    names = place.names
    return [
        *_kcl(names),
        allow("dynamodb", ["DescribeTable", "BatchWriteItem", "PutItem"], names.table_arn(names.counts_table)),
        allow("dynamodb", ["DescribeTable", "GetItem", "UpdateItem"], names.table_arn(names.alerts_table)),
        allow("sns", ["GetTopicAttributes", "Publish"], names.arn("sns", names.alerts_topic)),
        *put_bad_events(names),
        *_metrics(),
        use_key(names, place.key),
    ]


def _kcl(names: Names) -> list[iam.PolicyStatement]:
    """Return what the KCL needs when it polls (AWS's documentation: IAM permissions required for KCL consumers)."""
    leases = names.table_arn(DETECTOR_APPLICATION)
    return [
        read_stream(names, STREAM_2, "DescribeStream", "DescribeStreamSummary"),
        keep_rows(names, DETECTOR_APPLICATION, "UpdateTable"),
        allow("dynamodb", ["Query"], f"{leases}/index/{LEASES_BY_OWNER}"),
        keep_rows(names, f"{DETECTOR_APPLICATION}-WorkerMetricStats"),
        keep_rows(names, f"{DETECTOR_APPLICATION}-CoordinatorState"),
    ]


def _metrics() -> list[iam.PolicyStatement]:
    return [
        put_metrics(METRICS_NAMESPACE),
        allow("cloudwatch", ["ListMetrics"], "*"),
    ]
