"""Readiness: a call to each thing the detector depends on, one that its role allows."""

from collections.abc import Callable, Mapping
from functools import partial

from detector.adapters.aws_clients import AwsClients
from detector.adapters.cloudwatch_metrics import NAMESPACE
from detector.settings import DetectorSettings


def readiness_calls(clients: AwsClients, settings: DetectorSettings) -> Mapping[str, Callable[[], object]]:
    """Return, by each dependency's name, what raises when it does not answer."""
    return {
        "kinesis": partial(clients.kinesis.describe_stream_summary, StreamName=settings.stream),
        "dynamodb_counts": partial(clients.dynamodb.describe_table, TableName=settings.counts_table),
        "dynamodb_alerts": partial(clients.dynamodb.describe_table, TableName=settings.alerts_table),
        "sns": partial(clients.sns.get_topic_attributes, TopicArn=settings.alerts_topic_arn),
        "sqs": partial(clients.sqs.get_queue_url, QueueName=settings.bad_events_queue),
        "cloudwatch": partial(clients.cloudwatch.list_metrics, Namespace=NAMESPACE),
    }
