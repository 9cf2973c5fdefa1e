"""The two Kinesis streams of the activity source."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from infra.names import STREAM_1, STREAM_2


class Streams(Construct):
    """Raw activity and window counts, kept 24 hours, encrypted.

    On demand in AWS, so that nobody plans shards; two shards in the emulator, whose on-demand streams have only one.
    """

    def __init__(self, scope: Construct, construct_id: str, *, emulated: bool) -> None:
        """Make both streams."""
        super().__init__(scope, construct_id)
        self.raw = self._stream("Raw", STREAM_1, emulated=emulated)
        self.counts = self._stream("Counts", STREAM_2, emulated=emulated)

    def _stream(self, construct_id: str, name: str, *, emulated: bool) -> kinesis.Stream:
        return kinesis.Stream(
            self,
            construct_id,
            stream_name=name,
            stream_mode=kinesis.StreamMode.PROVISIONED if emulated else kinesis.StreamMode.ON_DEMAND,
            shard_count=2 if emulated else None,
            encryption=kinesis.StreamEncryption.MANAGED,
            retention_period=Duration.hours(24),
            removal_policy=RemovalPolicy.RETAIN,
        )
