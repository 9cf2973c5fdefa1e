"""What a put says of a connection that breaks: only a request that never left may be sent again unseen."""

import asyncio
import contextlib
import json
import socket
import struct
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from producer.adapters.kinesis_stream import KinesisStream, connect
from producer.errors import UnansweredError, UnreachableError
from producer.ports import Entry
from storepulse.instants import EPOCH
from tests.emulator import free_port

ENTRIES = [Entry(b"{}", "key", None, "0" * 32, 0)]
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


async def read_request(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(length)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the whole request, then reset the connection (RST), as a load balancer does."""
    await read_request(reader)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the whole request, then close the connection in order."""
    await read_request(reader)
    writer.close()


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer, and close the connection within it."""
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
    await writer.drain()
    writer.close()


async def garble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with status 200 and no JSON, as a proxy may."""
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
    await writer.drain()
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the whole request, and let the client wait until it goes."""
    await read_request(reader)
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


async def all_closed() -> None:
    """Wait until the server's side of every connection has ended too."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
    await asyncio.sleep(0)


@asynccontextmanager
async def stream_at(port: int, timeout_s: float = 60) -> AsyncIterator[KinesisStream]:
    """Yield a stream of `port`; a timeout that a busy machine could reach is for those alone who wait for it."""
    url = f"http://127.0.0.1:{port}"
    async with connect("s", region="us-east-1", endpoint_url=url, timeout_s=timeout_s, connections=2) as stream:
        yield stream


@pytest.mark.parametrize("answer", [reset, close, cut, garble, say_nothing])
async def test_a_request_that_was_taken_and_not_answered_may_have_been_carried_out(answer: Answer) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        timeout_s = 0.3 if answer is say_nothing else 60
        async with stream_at(server.sockets[0].getsockname()[1], timeout_s) as stream:
            with pytest.raises(UnansweredError):
                await stream.put(ENTRIES)
        await all_closed()


async def test_a_request_that_nobody_took_may_be_sent_again() -> None:
    async with stream_at(free_port()) as stream:
        with pytest.raises(UnreachableError):
            await stream.put(ENTRIES)


THROTTLED = {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded for shard"}
EXPIRED = {"__type": "ExpiredIteratorException", "message": "Iterator expired"}


class Shard:
    """Kinesis with one shard of records "0", "1", ..., a page of two a read, and a script of refusals between them."""

    def __init__(self, records: int, refusals: list[dict[str, str] | None]) -> None:
        self.records, self.refusals, self.reads = records, iter(refusals), 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
                asked = json.loads(await reader.readexactly(length))
                target = head.partition(b"x-amz-target: kinesis_20131202.")[2].split(b"\r\n")[0].decode()
                status, body = self._reply(target, asked)
                content = json.dumps(body).encode()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content))
                await writer.drain()
        writer.close()

    def _reply(self, target: str, asked: dict[str, Any]) -> tuple[int, object]:
        match target:
            case "listshards":
                keys = {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)}
                numbers = {"StartingSequenceNumber": "0"}
                return 200, {"Shards": [{"ShardId": "s-0", "HashKeyRange": keys, "SequenceNumberRange": numbers}]}
            case "getsharditerator":
                return 200, {"ShardIterator": str(int(asked.get("StartingSequenceNumber", "-1")) + 1)}
            case _:
                return self._page(int(asked["ShardIterator"]))

    def _page(self, start: int) -> tuple[int, object]:
        self.reads += 1
        if refusal := next(self.refusals, None):
            return 400, refusal
        end = min(start + 2, self.records)
        records = [
            {
                "SequenceNumber": str(n),
                "PartitionKey": "k",
                "Data": b64encode(b"%d" % n).decode(),
                "ApproximateArrivalTimestamp": 1.0,
            }
            for n in range(start, end)
        ]
        return 200, {"Records": records, "NextShardIterator": str(end), "MillisBehindLatest": self.records - end}


async def tail_of(shard: Shard) -> list[bytes]:
    server = await asyncio.start_server(shard.answer, "127.0.0.1", 0)
    async with server:
        async with stream_at(server.sockets[0].getsockname()[1]) as stream:
            found = [data async for data in stream.tail({}, EPOCH, EPOCH + timedelta(days=1))]
        await all_closed()
    return found


async def test_a_tail_that_is_throttled_between_two_pages_goes_on_where_it_was() -> None:
    shard = Shard(7, [None, THROTTLED, THROTTLED, None, EXPIRED])
    assert await tail_of(shard) == [b"%d" % n for n in range(7)]


async def test_a_tail_ends_where_the_stream_ends_and_does_not_wait_for_an_empty_page() -> None:
    shard = Shard(4, [])
    await tail_of(shard)
    assert shard.reads == 2
