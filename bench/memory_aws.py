"""Kinesis and DynamoDB in this process's memory, behind the real transport: what is left is what Faust and we cost.

Only the two AWS clients are replaced, by a `Transport` that hands out these. Leases, readers, batches, Faust's own
queues, commits and PutRecords' chunks are the real ones; conditions on leases are not checked (there is one worker).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import faust
from botocore.exceptions import ClientError

from faust_kinesis.transport import Transport
from kinesis_wire.records import Answer, Entry, Page, Record, Result

PAGE: Final = 10_000  # records a reply of GetRecords, as many as Kinesis gives
ARRIVED: Final = 1_767_225_600.0


def shard_id(number: int) -> str:
    """Return the id of the shard with that number, as Kinesis names them."""
    return f"shardId-{number:012d}"


def to_page(payloads: Sequence[bytes], first: int, *, at_tip: bool) -> Page:
    """Return `payloads`, the first of them its shard's record number `first`, as one reply of GetRecords."""
    records = [
        Record(payload, f"{10**55 + number}", "key", ARRIVED) for number, payload in enumerate(payloads, start=first)
    ]
    return Page(records=records, next_shard_iterator="more", millis_behind_latest=0 if at_tip else 1000)


def to_pages(payloads: Sequence[bytes], size: int = PAGE) -> list[Page]:
    """Return `payloads` as the replies of GetRecords on their shard; the last says that nothing is behind it."""
    return [
        to_page(payloads[first : first + size], first, at_tip=first + size >= len(payloads))
        for first in range(0, len(payloads), size)
    ]


class MemoryKinesis:
    """Serves the pages of each shard once, and keeps what is put."""

    def __init__(self, shards: Sequence[Sequence[Page]], *, delays_s: Sequence[float] = (), keep: bool = True) -> None:
        """Have a shard for each of `shards`; replies but its first take `delays_s`. `keep` what is put, or drop it."""
        self._shards = shards
        self._delays_s = delays_s
        self._keep = keep
        self.served = [0] * len(shards)  # pages, by shard
        self.taken: list[bytes] = []
        self.first_read_cpu_s = 0.0  # process time
        self.last_put_cpu_s = 0.0

    async def list_shards(self, **_: object) -> dict[str, Any]:
        """List every shard at once."""
        return {"Shards": [{"ShardId": shard_id(number)} for number in range(len(self._shards))]}

    async def get_shard_iterator(self, *, ShardId: str, **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Return an iterator at the first page: nothing is read twice here."""
        return {"ShardIterator": f"{int(ShardId.rpartition('-')[2])}/0"}

    async def get_records(self, *, ShardIterator: str, **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Return the next page as the transport's own parser does; an empty one at the tip."""
        if not self.first_read_cpu_s:
            self.first_read_cpu_s = time.process_time()
        shard, number = map(int, ShardIterator.split("/"))
        pages = self._shards[shard]
        if number >= len(pages):
            return {"Page": Page(records=[], next_shard_iterator=ShardIterator)}
        if number and self._delays_s:
            await asyncio.sleep(self._delays_s[shard])
        self.served[shard] = number + 1
        page = pages[number]
        return {
            "Page": Page(
                records=page.records,
                next_shard_iterator=f"{shard}/{number + 1}",
                millis_behind_latest=page.millis_behind_latest,
            )
        }

    async def put_records(self, *, Records: Sequence[Entry], **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Take all of them."""
        if self._keep:
            self.taken.extend([record.data for record in Records])
        self.last_put_cpu_s = time.process_time()
        taken = Result(shard_id=shard_id(0), sequence_number="1")
        return {"Answer": Answer(records=[taken] * len(Records), failed_record_count=0)}


class _Waiter:
    async def wait(self, **_: object) -> None:
        """Return at once: the table is there."""


class _Exceptions:
    ResourceNotFoundException = ResourceInUseException = TransactionCanceledException = ClientError


class MemoryDynamo:
    """One lease table with one worker on it."""

    exceptions = _Exceptions

    def __init__(self) -> None:
        """Hold no lease yet."""
        self._items: dict[str, dict[str, Any]] = {}

    async def describe_table(self, **_: object) -> None:
        """Say that the table is there."""

    def get_waiter(self, _: str) -> _Waiter:
        """Return what waits for the table."""
        return _Waiter()

    async def scan(self, **_: object) -> dict[str, Any]:
        """Return every item."""
        return {"Items": [dict(item) for item in self._items.values()]}

    async def put_item(self, *, Item: dict[str, Any], **_: object) -> None:  # noqa: N803 - AWS's name
        """Add an item that is not there yet."""
        self._items.setdefault(Item["key"]["S"], Item)

    async def get_item(self, *, Key: Mapping[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Return one item."""
        return {"Item": dict(self._items[Key["key"]["S"]])}

    async def update_item(
        self,
        *,
        Key: Mapping[str, Any],  # noqa: N803 - AWS's name
        UpdateExpression: str,  # noqa: N803 - AWS's name
        ExpressionAttributeNames: Mapping[str, str],  # noqa: N803 - AWS's name
        ExpressionAttributeValues: Mapping[str, Any],  # noqa: N803 - AWS's name
        **_: object,
    ) -> dict[str, Any]:
        """Set attributes, whatever the condition: nobody else writes."""
        item = self._items[Key["key"]["S"]]
        for term in UpdateExpression.removeprefix("SET ").split(", "):
            name, value = term.split(" = ")
            item[ExpressionAttributeNames[name]] = ExpressionAttributeValues[value]
        return {"Attributes": dict(item)}

    async def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803 - AWS's name
        """Set attributes of several items."""
        for item in TransactItems:
            await self.update_item(**item["Update"])


class MemoryTransport(Transport):
    """The real transport over clients in memory."""

    def __init__(self, app: faust.App, kinesis: MemoryKinesis, **options: object) -> None:
        """Serve `app` from `kinesis`; `options` replace those of its broker URL."""
        url = app.conf.broker_consumer[0].update_query({name: str(value) for name, value in options.items()})
        super().__init__([url], app)
        self._made = {"kinesis": kinesis, "dynamodb": MemoryDynamo()}

    def create_client(self, service: str) -> AbstractAsyncContextManager[Any]:
        """Return the context of a client in memory."""
        return _given(self._made[service])


@asynccontextmanager
async def _given(client: object) -> AsyncIterator[object]:
    yield client
