"""Firehose: every record of stream 1 in S3, as gzipped JSON lines, each minute."""

from typing import Final

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.data.buckets import Buckets
from infra.names import Names

PREFIX: Final = "stream-1/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/"
ERRORS_PREFIX: Final = "stream-1-errors/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/"
BUFFER_SECONDS: Final = 60
BUFFER_MEBIBYTES: Final = 5


def delivery_stream_name(env_name: str) -> str:
    """Return the delivery stream's name, which each object it writes begins with."""
    return f"storepulse-archive-{env_name}"


class Archive(Construct):
    """Stream 1 to the raw bucket: an object each 60 s or 5 MiB, a newline after each record, GZIP."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        source: kinesis.IStream,
        buckets: Buckets,
        key: kms.IKey,
    ) -> None:
        """Archive `source` to the raw bucket of `buckets`."""
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(self, "Log", retention=logs.RetentionDays.ONE_MONTH)
        role = self._writer(buckets.raw_name, key, log_group)
        self.delivery = firehose.DeliveryStream(
            self,
            "Delivery",
            delivery_stream_name=delivery_stream_name(names.env_name),
            source=firehose.KinesisStreamSource(source),
            destination=firehose.S3Bucket(
                buckets.raw,
                buffering_interval=Duration.seconds(BUFFER_SECONDS),
                buffering_size=Size.mebibytes(BUFFER_MEBIBYTES),
                compression=firehose.Compression.GZIP,
                data_output_prefix=PREFIX,
                encryption_key=key,
                error_output_prefix=ERRORS_PREFIX,
                logging_config=firehose.EnableLogging(log_group),
                processors=[firehose.AppendDelimiterToRecordProcessor()],
                role=role.without_policy_updates(),
            ),
        )
        self.delivery.node.add_dependency(role.node.find_child("DefaultPolicy"))
        acknowledge(
            self.delivery, "KDF1", reason="The source stream is encrypted; Firehose rejects a setting of its own then."
        )

    def _writer(self, bucket: str, key: kms.IKey, log_group: logs.LogGroup) -> iam.Role:
        """Make the role that writes the objects, with just what it needs (CDK's own grants are wider)."""
        role = iam.Role(self, "WriterRole", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        partition = Stack.of(self).partition
        for prefix in (PREFIX, ERRORS_PREFIX):
            objects = f"arn:{partition}:s3:::{bucket}/{prefix.partition('/')[0]}/*"
            self._allow(role, ["s3:PutObject", "s3:AbortMultipartUpload"], objects)
            acknowledge(role, f"IAM5[Resource::{objects}]", reason="Keys under the prefix are made at run time.")
        self._allow(role, ["s3:GetBucketLocation", "s3:ListBucket"], f"arn:{partition}:s3:::{bucket}")
        self._allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], key.key_arn)
        log_group.grant_write(role)
        return role

    def _allow(self, role: iam.Role, actions: list[str], resource: str) -> None:
        role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
