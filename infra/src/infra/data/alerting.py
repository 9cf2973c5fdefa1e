"""Where alerts are published, and where bad events wait for a person."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.names import Names


class Alerting(Construct):
    """The alerts' topic and the dead-letter queue of every service, which keeps a bad event 14 days."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: Names, key: kms.IKey, alert_email: str | None
    ) -> None:
        """Publish to `alert_email` when it is given."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Alerts", topic_name=names.alerts_topic, master_key=key, enforce_ssl=True)
        if alert_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(alert_email))
        self.bad_events = sqs.Queue(
            self,
            "BadEvents",
            queue_name=names.bad_events_queue,
            retention_period=Duration.days(14),
            visibility_timeout=Duration.seconds(30),
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.bad_events, "SQS3", reason="This is the dead-letter queue of the services; nothing redrives from it."
        )
        self._let_alarms_publish(key)

    def _let_alarms_publish(self, key: kms.IKey) -> None:
        """Let CloudWatch use the key: its alarms reach an encrypted topic only so, and fail silently otherwise."""
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
