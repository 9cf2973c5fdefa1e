"""The Flink stack: the windowing job on Amazon Managed Service for Apache Flink, in place of the windower.

It is made stopped. Its code must be in the raw bucket before (`CODE_KEY`), so it is in the app only when asked for.
"""

from typing import Any, Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kinesisanalyticsv2 as analytics
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import Config
from infra.data.stack import DataStack
from infra.flink_alarms import FlinkAlarms
from infra.flink_bad_events import FlinkBadEvents
from infra.flink_properties import property_groups
from infra.flink_role import flink_role
from infra.names import Names

RUNTIME: Final = "FLINK-2_2"
CODE_KEY: Final = "flink/storepulse-flink.zip"
PARALLELISM: Final = 4  # of speed alone: a subtask reads any number of shards
CHECKPOINTS_EVERY_MS: Final = 10_000  # a life of half a minute makes progress
PAUSE_MS: Final = 5_000

App = analytics.CfnApplication


class FlinkStack(Stack):
    """The job, what it may do, its log, and the way of its bad events to the dead-letter queue."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, data: DataStack, **stack: Any) -> None:  # noqa: ANN401 - Stack's
        """Make the application of one deployment, stopped."""
        super().__init__(scope, construct_id, description="Storepulse: the windowing job on Managed Flink", **stack)
        self.add_stack_dependency(data)
        names = config.names
        self.bad_events = FlinkBadEvents(self, "BadEvents", names=names, key=data.key)
        self.log = logs.LogGroup(
            self,
            "Log",
            log_group_name=names.log_group("flink"),
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        lines = self.log.add_stream("Lines", log_stream_name="job")
        role = flink_role(self, names=names, key=data.key, log=self.log, code_key=CODE_KEY)
        self.application = App(
            self,
            "Application",
            application_name=application_name(names),
            application_description="Counts every user's actions in windows of 10 s",
            runtime_environment=RUNTIME,
            service_execution_role=role.role_arn,
            application_configuration=configuration(names),
        )
        self.application.node.add_dependency(role.node.find_child("DefaultPolicy"))
        self._log_to(f"{names.log_group('flink')}:log-stream:{lines.log_stream_name}", names)
        FlinkAlarms(self, "Alarms", names=names, application=application_name(names))

    def _log_to(self, log_stream: str, names: Names) -> None:
        analytics.CfnApplicationCloudWatchLoggingOption(
            self,
            "LogOption",
            application_name=self.application.ref,
            cloud_watch_logging_option=analytics.CfnApplicationCloudWatchLoggingOption.CloudWatchLoggingOptionProperty(
                log_stream_arn=names.arn("logs", f"log-group:{log_stream}")
            ),
        )


def application_name(names: Names) -> str:
    """Return what the application is called."""
    return f"{names.prefix}-windowing"


def configuration(names: Names) -> App.ApplicationConfigurationProperty:
    """Return code, properties, parallelism and checkpoints."""
    code = App.S3ContentLocationProperty(bucket_arn=names.bucket_arn(), file_key=CODE_KEY)
    groups = [
        App.PropertyGroupProperty(property_group_id=name, property_map=properties)
        for name, properties in property_groups(names).items()
    ]
    return App.ApplicationConfigurationProperty(
        application_code_configuration=App.ApplicationCodeConfigurationProperty(
            code_content_type="ZIPFILE", code_content=App.CodeContentProperty(s3_content_location=code)
        ),
        application_snapshot_configuration=App.ApplicationSnapshotConfigurationProperty(snapshots_enabled=True),
        environment_properties=App.EnvironmentPropertiesProperty(property_groups=groups),
        flink_application_configuration=App.FlinkApplicationConfigurationProperty(
            checkpoint_configuration=App.CheckpointConfigurationProperty(
                configuration_type="CUSTOM",
                checkpointing_enabled=True,
                checkpoint_interval=CHECKPOINTS_EVERY_MS,
                min_pause_between_checkpoints=PAUSE_MS,
            ),
            monitoring_configuration=App.MonitoringConfigurationProperty(
                configuration_type="CUSTOM", log_level="INFO", metrics_level="TASK"
            ),
            parallelism_configuration=App.ParallelismConfigurationProperty(
                configuration_type="CUSTOM",
                parallelism=PARALLELISM,
                parallelism_per_kpu=PARALLELISM,
                auto_scaling_enabled=False,  # each change is a restart
            ),
        ),
    )
