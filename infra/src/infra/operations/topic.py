"""Where alarms go."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.names import Names


class OperationsTopic(Construct):
    """A topic of its own: who repairs the platform need not be who is told of bots."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, key: kms.IKey, email: str | None) -> None:
        """Publish to `email` when it is given."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", topic_name=names.operations_topic, master_key=key, enforce_ssl=True)
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        self._let_alarms_publish(names)

    def _let_alarms_publish(self, names: Names) -> None:
        """Let this account's alarms publish: the policy that demands TLS has taken the place of SNS's own."""
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "ArnLike": {"aws:SourceArn": names.arn("cloudwatch", "alarm:*")},
                    "StringEquals": {"aws:SourceAccount": names.account},
                },
            )
        )
