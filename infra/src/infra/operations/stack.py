"""The operations stack: alarms, their topic, the dashboard."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from infra.config import Config
from infra.data.stack import DataStack
from infra.operations.alarms import Watch, watches
from infra.operations.dashboard import Dashboard
from infra.operations.topic import OperationsTopic
from infra.services.stack import ServicesStack


class OperationsStack(Stack):
    """Tells a person when something is wrong, and again when it is well."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        data: DataStack,
        services: ServicesStack,
        **stack: Any,  # noqa: ANN401 - Stack's
    ) -> None:
        """Watch one deployment."""
        super().__init__(scope, construct_id, description="Storepulse: alarms, dashboard", **stack)
        self.add_stack_dependency(services)
        self._names = config.names
        told = OperationsTopic(self, "Told", names=self._names, key=data.key, email=config.operations_email)
        self._action = actions.SnsAction(told.topic)
        running = tuple(worker.name for worker in services.workers)
        alarms = [self._alarm(watch) for watch in watches(self._names, running, windower=config.windower_tasks > 0)]
        Dashboard(self, "Dashboard", names=self._names, alarms=alarms)

    def _alarm(self, watch: Watch) -> cloudwatch.Alarm:
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.title() for part in watch.name.split("-")),
            alarm_name=f"{self._names.prefix}-{watch.name}",
            alarm_description=f"{watch.meaning} What to do: docs/runbook.md, {watch.name}",
            metric=watch.metric,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=watch.above,
            datapoints_to_alarm=watch.minutes,
            evaluation_periods=watch.of,
            treat_missing_data=missing.BREACHING if watch.silence_is_bad else missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        return alarm
