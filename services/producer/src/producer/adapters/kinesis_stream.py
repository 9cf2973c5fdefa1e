"""The `Stream` port over Kinesis."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiobotocore.config import AioConfig
from aiohttp import ClientConnectorError, ClientOSError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from kinesis_wire import client as wire
from kinesis_wire.records import Entry as WireEntry
from producer.errors import DeliveryError, UnansweredError, UnreachableError
from producer.ports import Entry, Put, Shard
from servicekit.backoff import Backoff

if TYPE_CHECKING:
    from types_aiobotocore_kinesis.client import KinesisClient
    from types_aiobotocore_kinesis.type_defs import ListShardsOutputTypeDef, ShardTypeDef

_RETRYABLE: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "KMSThrottlingException",
        "ResourceInUseException",  # the stream is being made or changed
        "ExpiredIteratorException",
        "RequestTimeTooSkewed",
    }
)
_SERVER_ERROR: Final = 500
_PAGE: Final = 10_000  # records
_PAGE_TRIES: Final = 8  # in a row: others read the shard too, and all together may do so five times a second


class KinesisStream:
    """One Kinesis stream. Its requests are tried once: who retries must know what may have happened."""

    def __init__(self, client: "KinesisClient", name: str) -> None:
        """Use `client`, which must come from `connect`."""
        self._client = client
        self._name = name

    async def shards(self) -> list[Shard]:
        """See the port."""
        found = [shard for page in await self._list() for shard in page["Shards"]]
        return sorted((_shard(shard) for shard in found if _is_open(shard)), key=lambda shard: shard.start)

    async def _list(self) -> "list[ListShardsOutputTypeDef]":
        with _translated("ListShards"):
            pages = [await self._client.list_shards(StreamName=self._name)]
            while token := pages[-1].get("NextToken"):
                pages.append(await self._client.list_shards(NextToken=token))
            return pages

    async def put(self, entries: Sequence[Entry]) -> list[Put]:
        """See the port."""
        sent = [WireEntry(entry.payload, entry.key, entry.hash_key) for entry in entries]
        with _translated("PutRecords"):
            results = (await wire.put_records(self._client, self._name, sent)).records
        if len(results) != len(entries):
            msg = f"PutRecords answered for {len(results)} of {len(entries)} records"
            raise UnansweredError(msg)
        return [
            Put(each.shard_id or "", each.sequence_number or "", each.error_code or "", wire.OK) for each in results
        ]

    async def tail(self, after: Mapping[str, str], since: datetime, until: datetime) -> AsyncGenerator[bytes, None]:
        """See the port."""
        for page in await self._list():
            for shard in page["Shards"]:
                async for payload in self._tail_of(shard["ShardId"], after.get(shard["ShardId"]), since, until):
                    yield payload

    async def _tail_of(
        self, shard_id: str, after: str | None, since: datetime, until: datetime
    ) -> AsyncGenerator[bytes, None]:
        iterator: str | None = None
        backoff = Backoff()
        while True:
            try:
                iterator = iterator or await self._iterator(shard_id, after, since)
                with _translated("GetRecords"):
                    page = await wire.get_page(self._client, iterator, _PAGE)
            except (UnreachableError, UnansweredError):
                if backoff.tries >= _PAGE_TRIES:
                    raise
                await asyncio.sleep(backoff.next_s())
                iterator = None  # it may have expired
                continue
            backoff.reset()
            for record in page.records:
                if (record.approximate_arrival_timestamp or 0) > until.timestamp():
                    return
                after = record.sequence_number
                yield record.data
            iterator = page.next_shard_iterator
            if iterator is None or (not page.millis_behind_latest and len(page.records) < _PAGE):
                return

    async def _iterator(self, shard_id: str, after: str | None, since: datetime) -> str:
        where: dict[str, Any] = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": since}
        if after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        with _translated("GetShardIterator"):
            reply = await self._client.get_shard_iterator(StreamName=self._name, ShardId=shard_id, **where)
        return reply["ShardIterator"]


@asynccontextmanager
async def connect(
    name: str, *, region: str, endpoint_url: str | None, timeout_s: float, connections: int
) -> AsyncIterator[KinesisStream]:
    """Yield the stream called `name`; nothing is asked of it yet."""
    config = AioConfig(
        region_name=region,
        parameter_validation=False,
        retries={"total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=timeout_s,
        max_pool_connections=connections,
    )
    async with wire.new_session().create_client("kinesis", endpoint_url=endpoint_url, config=config) as client:
        yield KinesisStream(client, name)


class _Translation:
    """Turns the SDK's errors into those that say what to do."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        match error:
            case ConnectTimeoutError() | EndpointConnectionError() if not _was_connected(error):
                msg = f"{self._operation}: {error}"
                raise UnreachableError(msg) from error
            case ClientError():
                raise _translate(self._operation, error) from error
            case HTTPClientError() | EndpointConnectionError() | TimeoutError() | OSError() | msgspec.MsgspecError():
                msg = f"{self._operation}: no answer: {error}"
                raise UnansweredError(msg) from error
            case BotoCoreError():
                msg = f"{self._operation}: {error}"
                raise DeliveryError(msg) from error
            case _:
                return


_translated = _Translation


def _was_connected(error: BaseException) -> bool:
    """Say whether the connection broke after it was made: aiobotocore has one error for that and for none at all."""
    cause: object = getattr(error, "kwargs", {}).get("error")
    return isinstance(cause, ClientOSError) and not isinstance(cause, ClientConnectorError)


def _translate(operation: str, error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    msg = f"{operation}: {error}"
    if code in _RETRYABLE:
        return UnreachableError(msg)
    if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)) >= _SERVER_ERROR:
        return UnansweredError(msg)
    return DeliveryError(msg)


def _is_open(shard: "ShardTypeDef") -> bool:
    return "EndingSequenceNumber" not in shard["SequenceNumberRange"]


def _shard(shard: "ShardTypeDef") -> Shard:
    keys = shard["HashKeyRange"]
    return Shard(shard["ShardId"], int(keys["StartingHashKey"]), int(keys["EndingHashKey"]))
