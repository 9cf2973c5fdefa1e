"""The DynamoDB tables the detector writes."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.names import Names


class Tables(Construct):
    """User actions per window, and alerts; paid per request, recoverable to any second, rows expire by `ttl`."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, key: kms.IKey) -> None:
        """Encrypt both tables with `key`."""
        super().__init__(scope, construct_id)
        self.user_actions = self._table("UserActions", names.counts_table, key)
        self.alerts = self._table("Alerts", names.alerts_table, key)
        for index, partition in (("by_user", "user_id"), ("by_day", "day")):
            self.alerts.add_global_secondary_index(
                index_name=index, partition_key=_text(partition), sort_key=_text("window_start")
            )

    def _table(self, construct_id: str, name: str, key: kms.IKey) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            construct_id,
            table_name=name,
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            time_to_live_attribute="ttl",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
