"""What a person must know of the job; docs/flink.md says what to do."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.names import Names

MEANINGS: Final = {
    "numLateRecordsDropped": "Windows dropped late records without a bad event.",
    "restartingTime": "The job has failed and starts again.",
    "failingTime": "The job fails.",
    "numberOfFailedCheckpoints": "A flink_checkpoint failed: after a restart the job begins further back.",
    "lastCheckpointDuration": "A flink_checkpoint took more than 5 minutes, so the last one is as old.",
}
COUNTED_FROM_THE_START: Final = ("numLateRecordsDropped", "numberOfFailedCheckpoints")
ABOVE: Final = {"lastCheckpointDuration": 300_000}  # milliseconds; any other, 0
MINUTES: Final = 3  # looked at: a difference needs two


class FlinkAlarms(Construct):
    """An alarm for each of `MEANINGS`, told where all alarms are."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, application: str) -> None:
        """Watch the application called `application`."""
        super().__init__(scope, construct_id)
        told = sns.Topic.from_topic_arn(self, "Told", names.arn("sns", names.operations_topic))
        for metric, meaning in MEANINGS.items():
            source = _of_job(metric, application)
            alarm = cloudwatch.Alarm(
                self,
                metric,
                alarm_name=f"{names.prefix}-flink-{metric}",
                alarm_description=f"{meaning} What to do: docs/flink.md, Alarms",
                metric=_growth(source) if metric in COUNTED_FROM_THE_START else source,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                threshold=ABOVE.get(metric, 0),
                datapoints_to_alarm=1,
                evaluation_periods=MINUTES,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(actions.SnsAction(told))
            alarm.add_ok_action(actions.SnsAction(told))


def _of_job(metric: str, application: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/KinesisAnalytics",
        metric_name=metric,
        dimensions_map={"Application": application},
        statistic="Maximum",
        period=Duration.minutes(1),
    )


def _growth(metric: cloudwatch.Metric) -> cloudwatch.MathExpression:
    """Return what a counter has grown by in a minute: by itself it would hold its alarm until the job starts anew."""
    return cloudwatch.MathExpression(
        expression="DIFF(total)", using_metrics={"total": metric}, label="grown by", period=Duration.minutes(1)
    )
