"""Kinesis and DynamoDB behind HTTP in a process of its own, so that what a client costs is all that is measured.

A stream of any number of shards is empty until `Stub.Release` is called; then every shard has the same page of records,
once.
"""

import asyncio
import base64
import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.memory_aws import MemoryDynamo, shard_id
from storepulse.instants import format_instant

_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n"
_REFUSED: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n"


class Stub:
    """Answers every call of the windower."""

    def __init__(self, shards: int, records: int) -> None:
        """Have `shards` shards, with `records` records in each once they are released."""
        self._dynamo = MemoryDynamo()
        self._shards = shards
        self._records = records
        self._page: list[dict[str, Any]] = []

    async def answer(self, target: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the reply to one call; None for one that a condition refuses."""
        service, _, operation = target.partition(".")
        if service.startswith("DynamoDB"):
            return await self._dynamodb(operation, request)
        return dict(getattr(self, f"_{operation}")(**request))

    async def _dynamodb(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
        try:
            reply = await getattr(self._dynamo, name)(**request)
        except Exception:  # noqa: BLE001 - it only refuses
            return None
        return {"Table": {"TableStatus": "ACTIVE"}} if operation == "DescribeTable" else reply or {}

    def _Release(self) -> dict[str, Any]:  # noqa: N802 - as the operations of Kinesis
        moment = time.time()
        at = format_instant(int(moment * 1000))
        self._page = [
            {
                "Data": base64.b64encode(
                    json.dumps({"user_id": f"u{n % 97}", "event_type": "view", "txn_timestamp": at}).encode()
                ).decode(),
                "PartitionKey": "key",
                "SequenceNumber": str(10**55 + n),
                "ApproximateArrivalTimestamp": moment,
            }
            for n in range(self._records)
        ]
        return {}

    def _ListShards(self, **_: object) -> dict[str, Any]:  # noqa: N802 - Kinesis's name
        return {"Shards": [{"ShardId": shard_id(number)} for number in range(self._shards)]}

    def _GetShardIterator(self, **_: object) -> dict[str, Any]:  # noqa: N802 - Kinesis's name
        return {"ShardIterator": "new" + "x" * 200}

    def _GetRecords(self, *, ShardIterator: str, **_: object) -> dict[str, Any]:  # noqa: N802, N803 - Kinesis's names
        if not self._page or not ShardIterator.startswith("new"):
            return {"Records": [], "NextShardIterator": ShardIterator, "MillisBehindLatest": 0}
        return {"Records": self._page, "NextShardIterator": "old" + "x" * 200, "MillisBehindLatest": 0}

    def _PutRecords(self, *, Records: list[Any], **_: object) -> dict[str, Any]:  # noqa: N802, N803 - Kinesis's names
        return {"FailedRecordCount": 0, "Records": [{"ShardId": "s", "SequenceNumber": "1"}] * len(Records)}


class _Connection(asyncio.Protocol):
    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._unread = b""
        self._calls: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        head, end, rest = self._unread.partition(b"\r\n\r\n")
        if not end:
            return
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        headers = {name.lower(): value for name, value in headers.items()}
        size = int(headers.get("content-length", 0))
        if len(rest) >= size:
            self._unread = rest[size:]
            call = asyncio.ensure_future(self._reply(headers["x-amz-target"], json.loads(rest[:size] or b"{}")))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _reply(self, target: str, request: dict[str, Any]) -> None:
        reply = await self._stub.answer(target, request)
        refused = {"__type": "ConditionalCheckFailedException", "message": "refused"}
        body = json.dumps(refused if reply is None else reply).encode()
        self._transport.write((_REFUSED if reply is None else _HEAD) % len(body) + body)


def _serve(listener: socket.socket, shards: int, records: int) -> None:
    async def run() -> None:
        stub = Stub(shards, records)
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(stub), sock=listener)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def serving(shards: int, records: int) -> Iterator[str]:
    """Serve for a while; yield the URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(listener, shards, records), daemon=True
        )
        process.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            process.join()
