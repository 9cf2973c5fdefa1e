"""The `kinesis://<region>` transport: what Faust finds through its `faust.transports` entry point."""

from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, ClassVar

import aiobotocore
from faust.transport import base

from faust_kinesis.client import READ_TIMEOUT_S, create_client
from faust_kinesis.consumer import Consumer
from faust_kinesis.options import Options
from faust_kinesis.producer import Producer


class Transport(base.Transport):  # type: ignore[misc]  # faust has no types
    """Streams are topics, shards are partitions; Conductor and Fetcher are Faust's own."""

    Consumer: ClassVar[type] = Consumer
    Producer: ClassVar[type] = Producer
    default_port = 443
    driver_version = f"aiobotocore={aiobotocore.__version__}"

    @cached_property
    def options(self) -> Options:
        """What the broker URL says.

        Raises:
            OptionError: it is not understood.
        """
        return Options.parse(self.url[0])

    def create_client(self, service: str) -> AbstractAsyncContextManager[Any]:
        """Return the context of an AWS client; one for DynamoDB gives up early enough to renew a lease in time."""
        limit = max(1.0, self.options.lease_s / 3) if service == "dynamodb" else READ_TIMEOUT_S
        return create_client(service, self.options.region, min(limit, READ_TIMEOUT_S))
