"""Findings of cdk-nag that we looked at and accept, each with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, finding: str, *, reason: str) -> None:
    """Accept one finding on `scope`.

    Args:
        scope: the construct it was found on.
        finding: the rule without its pack, such as `SQS3` or `IAM5[Resource::arn:...]`; there are no wildcards.
        reason: why it is right here.
    """
    Validations.of(scope).acknowledge(Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason))
