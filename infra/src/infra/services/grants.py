"""Statements of the services' roles: each names its actions and its resources (CDK's own grants are wider)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.acknowledgements import acknowledge
from infra.names import Names

KEYED_SERVICES: Final = ("dynamodb", "s3", "sns", "sqs")
BAD_EVENTS: Final = "bad-events/"


def allow(
    service: str, actions: Sequence[str], *resources: str, conditions: Mapping[str, Any] | None = None
) -> iam.PolicyStatement:
    """Return a statement that allows `actions` of one AWS service, by their names alone, on `resources`."""
    return iam.PolicyStatement(
        actions=[f"{service}:{action}" for action in actions], resources=list(resources), conditions=conditions
    )


def use_key(names: Names, key: kms.IKey) -> iam.PolicyStatement:
    """Let the services of AWS that hold our data use our key for this role, and the role itself not."""
    via = [f"{service}.{names.region}.amazonaws.com" for service in KEYED_SERVICES]
    only_there = {"StringEquals": {"kms:ViaService": via}}
    return allow("kms", ["Decrypt", "GenerateDataKey"], key.key_arn, conditions=only_there)


def read_stream(names: Names, stream: str, *more: str) -> iam.PolicyStatement:
    """Let it find the shards of a stream and read them."""
    return allow("kinesis", ["ListShards", "GetShardIterator", "GetRecords", *more], names.stream_arn(stream))


def put_bad_events(names: Names, *more: str) -> list[iam.PolicyStatement]:
    """Let it send to the dead-letter queue, and keep in S3 what no message can hold."""
    return [
        allow("sqs", ["GetQueueUrl", "SendMessage", *more], names.arn("sqs", names.bad_events_queue)),
        allow("s3", ["PutObject"], names.bucket_arn(BAD_EVENTS)),
    ]


def keep_rows(names: Names, table: str, *more: str) -> iam.PolicyStatement:
    """Let it make a table of leases or the like, and keep its rows."""
    actions = ["CreateTable", "DescribeTable", "Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem", *more]
    return allow("dynamodb", actions, names.table_arn(table))


def put_metrics(namespace: str) -> iam.PolicyStatement:
    """Let it put CloudWatch metrics of its own namespace; CloudWatch knows no resources."""
    held = {"StringEquals": {"cloudwatch:namespace": namespace}}
    return allow("cloudwatch", ["PutMetricData"], "*", conditions=held)


def acknowledge_metrics(role: iam.IRole) -> None:
    """Accept that metrics are granted by their namespace."""
    reason = "CloudWatch knows no resources; PutMetricData is held to a namespace."
    acknowledge(role, "IAM5[Resource::*]", reason=reason)


def acknowledge_objects(role: iam.IRole, names: Names, *prefixes: str) -> None:
    """Accept that objects are granted by their prefix."""
    for prefix in dict.fromkeys(prefixes):
        finding = f"IAM5[Resource::{names.bucket_arn(prefix)}]"
        acknowledge(role, finding, reason="Keys under the prefix are made at run time.")
