"""The data stack: deployed to AWS, and without the archive to the emulator."""

from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import Config
from infra.data import archive
from infra.data.alerting import Alerting
from infra.data.archive import Archive
from infra.data.buckets import Buckets
from infra.data.streams import Streams
from infra.data.tables import Tables


class DataStack(Stack):
    """Streams, tables, buckets, topic, dead-letter queue, archive, and the one key that encrypts them."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, **stack: Any) -> None:  # noqa: ANN401 - Stack's
        """Make the stack of one deployment."""
        super().__init__(scope, construct_id, description="Storepulse: streams, tables, buckets, alerts", **stack)
        names = config.names
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{names.prefix}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.streams = Streams(self, "Streams", emulated=config.emulated)
        self.tables = Tables(self, "Tables", names=names, key=self.key)
        self.buckets = Buckets(self, "Buckets", raw_name=names.raw_bucket, key=self.key)
        self.alerting = Alerting(self, "Alerting", names=names, key=self.key, alert_email=config.alert_email)
        if not config.emulated:
            Archive(self, "Archive", names=names, source=self.streams.raw, buckets=self.buckets, key=self.key)
        self._outputs(config.env_name)

    def _outputs(self, env_name: str) -> None:
        values = {
            "RawStreamName": self.streams.raw.stream_name,
            "CountsStreamName": self.streams.counts.stream_name,
            "UserActionsTableName": self.tables.user_actions.table_name,
            "AlertsTableName": self.tables.alerts.table_name,
            "RawBucketName": self.buckets.raw.bucket_name,
            "AlertsTopicArn": self.alerting.topic.topic_arn,
            "BadEventsQueueUrl": self.alerting.bad_events.queue_url,
            "ArchiveName": archive.delivery_stream_name(env_name),
            "ArchivePrefix": archive.PREFIX,
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)
