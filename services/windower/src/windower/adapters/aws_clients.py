"""The windower's own AWS clients; the transport has its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_kinesis import KinesisClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_sqs import SQSClient

    from windower.adapters.cloudwatch_metrics import CloudWatchClient


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsClients:
    """One client a service of AWS."""

    kinesis: "KinesisClient"
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    s3: "S3Client"
    cloudwatch: "CloudWatchClient"


@asynccontextmanager
async def open_clients(*, region: str, endpoint_url: str | None) -> AsyncIterator[AwsClients]:
    """Yield clients for `region`, or for the emulator at `endpoint_url`; close them afterwards."""
    session = get_session()
    config = AioConfig(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 2},
        s3={"addressing_style": "path"} if endpoint_url else {},
    )
    async with AsyncExitStack() as stack:
        made: dict[str, Any] = {
            name: await stack.enter_async_context(
                session.create_client(name, region_name=region, endpoint_url=endpoint_url, config=config)
            )
            for name in ("kinesis", "dynamodb", "sqs", "s3", "cloudwatch")
        }
        yield AwsClients(**made)
