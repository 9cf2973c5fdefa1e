"""The way of the job's bad events: a stream of their own, for Flink's SQL knows no queue, and a pipe to the queue."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_pipes as pipes
from constructs import Construct

from infra.flink_properties import bad_events_stream
from infra.names import Names
from infra.services.grants import allow

READ: Final = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
BATCH: Final = 10  # messages a call


class FlinkBadEvents(Construct):
    """Bad events of the job end in the dead-letter queue of every service, each a message."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, key: kms.IKey) -> None:
        """Make the stream and the pipe."""
        super().__init__(scope, construct_id)
        self.stream = kinesis.Stream(
            self,
            "Stream",
            stream_name=bad_events_stream(names),
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.MANAGED,
            retention_period=Duration.days(7),
            removal_policy=RemovalPolicy.RETAIN,
        )
        role = self._role(names, key)
        pipe = pipes.CfnPipe(
            self,
            "Pipe",
            name=bad_events_stream(names),
            role_arn=role.role_arn,
            source=self.stream.stream_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                kinesis_stream_parameters=pipes.CfnPipe.PipeSourceKinesisStreamParametersProperty(
                    starting_position="TRIM_HORIZON", batch_size=BATCH, on_partial_batch_item_failure="AUTOMATIC_BISECT"
                )
            ),
            target=names.arn("sqs", names.bad_events_queue),
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(input_template="<$.data>"),
        )
        pipe.node.add_dependency(role.node.find_child("DefaultPolicy"))

    def _role(self, names: Names, key: kms.IKey) -> iam.Role:
        role = iam.Role(self, "PipeRole", assumed_by=iam.ServicePrincipal("pipes.amazonaws.com"))
        for statement in (
            allow("kinesis", READ, names.stream_arn(bad_events_stream(names))),
            allow("sqs", ["SendMessage"], names.arn("sqs", names.bad_events_queue)),
            allow("kms", ["Decrypt", "GenerateDataKey"], key.key_arn),
        ):
            role.add_to_principal_policy(statement)
        return role
