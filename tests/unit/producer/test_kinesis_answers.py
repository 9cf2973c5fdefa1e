"""What a put says of a connection that breaks: only a request that never left may be sent again unseen."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from producer.adapters.kinesis_stream import KinesisStream, connect
from producer.errors import UnansweredError, UnreachableError
from producer.ports import Entry
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
async def stream_at(port: int) -> AsyncIterator[KinesisStream]:
    url = f"http://127.0.0.1:{port}"
    async with connect("s", region="us-east-1", endpoint_url=url, timeout_s=0.3, connections=2) as stream:
        yield stream


@pytest.mark.parametrize("answer", [reset, close, cut, garble, say_nothing])
async def test_a_request_that_was_taken_and_not_answered_may_have_been_carried_out(answer: Answer) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        async with stream_at(server.sockets[0].getsockname()[1]) as stream:
            with pytest.raises(UnansweredError):
                await stream.put(ENTRIES)
        await all_closed()


async def test_a_request_that_nobody_took_may_be_sent_again() -> None:
    async with stream_at(free_port()) as stream:
        with pytest.raises(UnreachableError):
            await stream.put(ENTRIES)
