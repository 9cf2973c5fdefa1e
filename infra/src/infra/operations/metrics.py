"""The metrics that alarms and dashboard show, each by the name that AWS or a service gives it."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.data.archive import delivery_stream_name
from infra.names import STREAM_1, Names
from infra.services import detector, windower
from infra.services.worker import ERRORS_METRIC, LOGS_NAMESPACE

WINDOWER: Final = windower.METRICS_NAMESPACE
DETECTOR: Final = detector.METRICS_NAMESPACE
MINUTE: Final = Duration.minutes(1)


def metric(namespace: str, name: str, statistic: str, label: str | None = None, **dimensions: str) -> cloudwatch.Metric:
    """Return a metric by the minute."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        statistic=statistic,
        label=label or name,
        dimensions_map=dimensions or None,
        period=MINUTE,
    )


def of_stream(name: str, statistic: str, stream: str) -> cloudwatch.Metric:
    """Return a metric of a Kinesis stream."""
    return metric("AWS/Kinesis", name, statistic, StreamName=stream)


def age(stream: str) -> cloudwatch.Metric:
    """Return how old, in milliseconds, the last record was that a reader of the stream was given."""
    return of_stream("GetRecords.IteratorAgeMilliseconds", "Maximum", stream)


def own(namespace: str, name: str, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Return a metric that a service publishes itself, in its `namespace`."""
    return metric(namespace, name, statistic)


def unacknowledged_while_records_come() -> cloudwatch.MathExpression:
    """Return the age of the windower's oldest record without its final count, and 0 in minutes without records.

    The last windows before a silence stay open until something newer comes: that is no trouble.
    """
    used = {
        "into": of_stream("IncomingRecords", "Sum", STREAM_1),
        "age": own(WINDOWER, "OldestUnacknowledgedSeconds"),
    }
    return cloudwatch.MathExpression(
        expression="IF(FILL(into, 0) > 0, FILL(age, 0), 0)",
        using_metrics=used,
        label="oldest without its count (s)",
        period=MINUTE,
    )


def bad_events(names: Names) -> cloudwatch.Metric:
    """Return how many bad events were sent to their queue: those that wait there hide what comes next."""
    return metric("AWS/SQS", "NumberOfMessagesSent", "Sum", "bad events", QueueName=names.bad_events_queue)


def bad_events_waiting(names: Names) -> cloudwatch.Metric:
    """Return how many bad events wait for a person."""
    queue = names.bad_events_queue
    return metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "waiting", QueueName=queue)


def of_alerts(name: str, names: Names) -> cloudwatch.Metric:
    """Return a metric of the alerts' topic."""
    return metric("AWS/SNS", name, "Sum", TopicName=names.alerts_topic)


def of_table(name: str, table: str) -> cloudwatch.Metric:
    """Return a metric of a DynamoDB table."""
    return metric("AWS/DynamoDB", name, "Sum", f"{table} {name}", TableName=table)


def archive_age(names: Names) -> cloudwatch.Metric:
    """Return how old, in seconds, the oldest record is that is not in the archive yet."""
    stream = delivery_stream_name(names.env_name)
    return metric("AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", DeliveryStreamName=stream)


def tasks(name: str, service: str, names: Names) -> cloudwatch.Metric:
    """Return a count of a service's tasks: `RunningTaskCount` or `DesiredTaskCount`."""
    return metric("ECS/ContainerInsights", name, "Minimum", ClusterName=names.prefix, ServiceName=service)


def utilization(name: str, service: str, names: Names) -> cloudwatch.Metric:
    """Return a service's `CPUUtilization` or `MemoryUtilization`, in percent of the task's size."""
    return metric("AWS/ECS", name, "Maximum", ClusterName=names.prefix, ServiceName=service)


def errors(service: str) -> cloudwatch.Metric:
    """Return how many lines a service has logged that a person must look at."""
    return metric(LOGS_NAMESPACE, ERRORS_METRIC.format(service=service), "Sum", "errors logged")
