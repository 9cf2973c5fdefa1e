"""What the job may do: read its code and stream 1, write stream 2 and bad events, log; nothing else."""

from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.flink_properties import bad_events_stream
from infra.names import STREAM_1, STREAM_2, Names
from infra.services.grants import allow, read_stream

WRITE: Final = ("DescribeStreamSummary", "PutRecords")


def flink_role(scope: Construct, *, names: Names, key: kms.IKey, log: logs.ILogGroup, code_key: str) -> iam.Role:
    """Return the role of the application, which logs to `log` and whose code is at `code_key` of the raw bucket."""
    service = iam.ServicePrincipal(
        "kinesisanalytics.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": names.account}}
    )
    role = iam.Role(scope, "Role", assumed_by=service)
    lines = names.arn("logs", f"log-group:{names.log_group('flink')}")
    for statement in (
        allow("s3", ["GetObject", "GetObjectVersion"], f"{names.bucket_arn()}/{code_key}"),
        allow("kms", ["Decrypt"], key.key_arn, conditions={"StringEquals": {"kms:ViaService": _s3(names)}}),
        read_stream(names, STREAM_1, "DescribeStream", "DescribeStreamSummary"),
        allow("kinesis", WRITE, names.stream_arn(STREAM_2), names.stream_arn(bad_events_stream(names))),
        allow("logs", ["DescribeLogStreams", "PutLogEvents"], f"{lines}:*"),
        allow("logs", ["DescribeLogGroups"], names.arn("logs", "log-group:*")),
    ):
        role.add_to_principal_policy(statement)
    acknowledge(role, f"IAM5[Resource::{lines}:*]", reason="The streams of its own log group.")
    acknowledge(
        role,
        f"IAM5[Resource::{names.arn('logs', 'log-group:*')}]",
        reason="Managed Flink looks for its log group among all; the action cannot be narrowed.",
    )
    role.node.add_dependency(log)
    return role


def _s3(names: Names) -> str:
    return f"s3.{names.region}.amazonaws.com"
