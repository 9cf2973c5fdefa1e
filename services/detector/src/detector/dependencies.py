"""Readiness: each thing the detector depends on, asked by name with a call that its role allows."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from detector.adapters.cloudwatch_metrics import NAMESPACE
from detector.settings import DetectorSettings
from servicekit.health import Health

if TYPE_CHECKING:
    from detector.adapters.aws_clients import AwsClients


def add_checks(health: Health, clients: "AwsClients", settings: DetectorSettings) -> None:
    """Let readiness depend on Kinesis, both tables, the topic, the queue and CloudWatch."""
    calls: dict[str, Callable[[], object]] = {
        "kinesis": partial(clients.kinesis.describe_stream_summary, StreamName=settings.stream),
        "dynamodb_counts": partial(clients.dynamodb.describe_table, TableName=settings.counts_table),
        "dynamodb_alerts": partial(clients.dynamodb.describe_table, TableName=settings.alerts_table),
        "sns": partial(clients.sns.get_topic_attributes, TopicArn=settings.alerts_topic_arn),
        "sqs": partial(clients.sqs.get_queue_url, QueueName=settings.bad_events_queue),
        "cloudwatch": partial(clients.cloudwatch.list_metrics, Namespace=NAMESPACE),
    }
    for name, call in calls.items():
        health.add_check(name, partial(asyncio.to_thread, call))
