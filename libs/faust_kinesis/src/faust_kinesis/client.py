"""The AWS clients: one session a process, records on the wire by `kinesis_wire`, our own retries only."""

from contextlib import AbstractAsyncContextManager
from typing import Any, cast

import aiobotocore
import botocore
from aiobotocore.config import AioConfig

from kinesis_wire.client import new_session

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
POOL = 128  # connections: a shard being read takes one
USER_AGENT = f"faust_kinesis aiobotocore/{aiobotocore.__version__} botocore/{botocore.__version__}"


def create_client(
    service: str, region: str, read_timeout_s: float = READ_TIMEOUT_S
) -> AbstractAsyncContextManager[Any]:
    """Return the context of a client for `service`.

    Credentials and endpoint come from the standard AWS settings (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KINESIS,
    AWS_ENDPOINT_URL_DYNAMODB and the like). It tries once: this package retries by itself.
    """
    config = AioConfig(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        max_pool_connections=POOL,
        parameter_validation=False,
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
        user_agent=USER_AGENT,  # botocore would put its own together anew for each call: a fifth of an empty poll
    )
    session: Any = new_session()  # its stubs know only literal service names
    return cast("AbstractAsyncContextManager[Any]", session.create_client(service, region_name=region, config=config))
