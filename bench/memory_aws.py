"""Kinesis and DynamoDB in this process's memory, behind the real transport: what is left is what Faust and we cost.

Only the two AWS clients are replaced, by a `Transport` that hands out these. Leases, readers, batches, Faust's own
queues, commits and PutRecords' chunks are the real ones; the conditions that leases are written under are checked.
"""

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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

    async def get_shard_iterator(
        self,
        *,
        ShardId: str,  # noqa: N803 - AWS's name
        StartingSequenceNumber: str = "",  # noqa: N803 - AWS's name
        **_: object,
    ) -> dict[str, Any]:
        """Return an iterator at the first page, or at the one after the page that ends with a sequence number."""
        shard = int(ShardId.rpartition("-")[2])
        ends = [page.records[-1].sequence_number for page in self._shards[shard]] if StartingSequenceNumber else []
        return {"ShardIterator": f"{shard}/{bisect_right(ends, StartingSequenceNumber)}"}

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


TRANSACTION_ITEMS: Final = 100


class MemoryDynamo:
    """One lease table. Items come and go as in DynamoDB, under the conditions that faust_kinesis writes them."""

    exceptions = _Exceptions

    def __init__(self, before_write: Callable[[Mapping[str, Any]], None] = lambda _: None) -> None:
        """Hold no lease yet; `before_write` is called with each write's request, and may raise in its place."""
        self._items: dict[str, dict[str, Any]] = {}
        self._before_write = before_write

    async def describe_table(self, **_: object) -> None:
        """Say that the table is there."""

    def get_waiter(self, _: str) -> _Waiter:
        """Return what waits for the table."""
        return _Waiter()

    async def scan(self, **_: object) -> dict[str, Any]:
        """Return every item."""
        return {"Items": [dict(item) for item in self._items.values()]}

    async def put_item(self, **request: Any) -> None:  # noqa: ANN401 - AWS's request
        """Store an item."""
        self._before_write(request)
        self._check(request, request["Item"]["key"]["S"])
        self._items[request["Item"]["key"]["S"]] = dict(request["Item"])

    async def get_item(self, *, Key: Mapping[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Return one item."""
        return {"Item": dict(self._items[Key["key"]["S"]])}

    async def delete_item(self, **request: Any) -> None:  # noqa: ANN401 - AWS's request
        """Remove an item."""
        self._before_write(request)
        self._check(request, request["Key"]["key"]["S"])
        self._items.pop(request["Key"]["key"]["S"], None)

    async def update_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's request
        """Set attributes."""
        self._before_write(request)
        self._check(request, request["Key"]["key"]["S"])
        return {"Attributes": self._set(request)}

    async def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803 - AWS's name
        """Set attributes of several items, or of none."""
        self._before_write({"TransactItems": TransactItems})
        updates = [item["Update"] for item in TransactItems]
        if len(updates) > TRANSACTION_ITEMS:
            raise _invalid()
        for update in updates:
            self._check(update, update["Key"]["key"]["S"])
        for update in updates:
            self._set(update)

    def _set(self, request: Mapping[str, Any]) -> dict[str, Any]:
        item = self._items.setdefault(request["Key"]["key"]["S"], dict(request["Key"]))
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        for term in request["UpdateExpression"].removeprefix("SET ").split(", "):
            name, value = term.split(" = ")
            item[names[name]] = values[value]
        return dict(item)

    def _check(self, request: Mapping[str, Any], key: str) -> None:
        """Raise what DynamoDB does when the condition does not hold."""
        item, condition = self._items.get(key, {}), request.get("ConditionExpression", "")
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        for term in filter(None, condition.split(" AND ")):
            function, _, name = term.rstrip(")").rpartition("(")
            if function:
                holds = (names[name] in item) is (function == "attribute_exists")
            else:
                name, value = term.split(" = ")
                holds = item.get(names[name]) == values[value]
            if not holds:
                raise _refused()


def _refused() -> ClientError:
    return _error("ConditionalCheckFailedException")


def _invalid() -> ClientError:
    return _error("ValidationException")


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "in memory"}}, "Write")


class MemoryTransport(Transport):
    """The real transport over clients in memory."""

    def __init__(
        self,
        app: faust.App,
        kinesis: MemoryKinesis,
        *,
        dynamo: MemoryDynamo | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        """Serve `app` from `kinesis`; `options` replace those of its broker URL. Without `dynamo` no lease is there."""
        url = app.conf.broker_consumer[0].update_query({name: str(value) for name, value in (options or {}).items()})
        super().__init__([url], app)
        self._made = {"kinesis": kinesis, "dynamodb": dynamo or MemoryDynamo()}

    def create_client(self, service: str) -> AbstractAsyncContextManager[Any]:
        """Return the context of a client in memory."""
        return _given(self._made[service])


@asynccontextmanager
async def _given(client: object) -> AsyncIterator[object]:
    yield client
