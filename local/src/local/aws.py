"""boto3 clients of the emulated account."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from local.account import REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


def session() -> boto3.session.Session:
    """Return a session with the emulator's credentials, whatever the user's own AWS files say."""
    return boto3.session.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator takes any
        region_name=REGION,
    )


def client_config() -> Config:
    """Give up on a silent emulator after seconds, not minutes."""
    return Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path"},
    )


def kinesis(endpoint_url: str) -> "KinesisClient":
    """Return a Kinesis client."""
    return session().client("kinesis", endpoint_url=endpoint_url, config=client_config())


def dynamodb(endpoint_url: str) -> "DynamoDBClient":
    """Return a DynamoDB client."""
    return session().client("dynamodb", endpoint_url=endpoint_url, config=client_config())


def sns(endpoint_url: str) -> "SNSClient":
    """Return an SNS client."""
    return session().client("sns", endpoint_url=endpoint_url, config=client_config())


def sqs(endpoint_url: str) -> "SQSClient":
    """Return an SQS client."""
    return session().client("sqs", endpoint_url=endpoint_url, config=client_config())


def s3(endpoint_url: str) -> "S3Client":
    """Return an S3 client."""
    return session().client("s3", endpoint_url=endpoint_url, config=client_config())
