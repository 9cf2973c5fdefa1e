"""How this service's AWS clients are made: no retries of their own (`Workers` has patience), long waits for answers."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from pynamodb.connection.base import Connection, MetaTable

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CONNECT_SECONDS: Final = 5.0
#: Longer than an outage that should not matter: an SNS message whose answer is not awaited would be sent again.
ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class AwsClients:
    """The clients, each made when it is first asked for; ask before threads do, as making one is not thread-safe.

    Args:
        region: AWS region.
        endpoint: an emulated AWS; None in AWS.
        connections: the most calls at once.
        answer_seconds: how long to wait for an answer.
    """

    region: str
    endpoint: str | None = None
    connections: int = 8
    answer_seconds: float = ANSWER_SECONDS

    @property
    def _config(self) -> Config:
        return Config(
            connect_timeout=min(CONNECT_SECONDS, self.answer_seconds),
            read_timeout=self.answer_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=self.connections,
            s3={"addressing_style": "path"} if self.endpoint else {},
        )

    @cached_property
    def sns(self) -> "SNSClient":
        """SNS."""
        return boto3.client("sns", region_name=self.region, endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return boto3.client("sqs", region_name=self.region, endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return boto3.client("s3", region_name=self.region, endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return boto3.client("cloudwatch", region_name=self.region, endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def kinesis(self) -> "KinesisClient":
        """Kinesis."""
        return boto3.client("kinesis", region_name=self.region, endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB, for what PynamoDB has no word for."""
        return boto3.client("dynamodb", region_name=self.region, endpoint_url=self.endpoint, config=self._config)

    def pynamodb(self, *tables: str) -> Connection:
        """Return PynamoDB's connection to `tables`, whose keys are the texts `pk` and `sk`."""
        connection = Connection(
            region=self.region,
            host=self.endpoint,
            connect_timeout_seconds=CONNECT_SECONDS,
            read_timeout_seconds=self.answer_seconds,
            max_retry_attempts=0,
            max_pool_connections=self.connections,
        )
        for table in tables:
            connection.add_meta_table(_meta_table(table))
        _ = connection.client  # made here, in one thread
        return connection


def _meta_table(name: str) -> MetaTable:
    keys = {"pk": "HASH", "sk": "RANGE"}
    return MetaTable(
        {
            "TableName": name,
            "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        }
    )
