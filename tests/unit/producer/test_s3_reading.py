"""A broken connection to S3 is taken up again at the byte where it broke."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from producer.adapters.s3_sources import S3Sources
from producer.errors import SourceError
from producer.ports import SourceFile

CONTENT = os.urandom(1_500_000)
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()[:32]}"'


@asynccontextmanager
async def flaky_s3(breaks: int, change_after: int = 99) -> AsyncIterator[tuple[S3Sources, list[str]]]:
    """Yield S3 served by a server that breaks off after 400 kB so many times, and the ranges asked for."""
    ranges: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked = next(line for line in request.splitlines() if line.lower().startswith("range:"))
        start = int(asked.partition("=")[2].rstrip("-"))
        ranges.append(asked)
        body = CONTENT[start:]
        head = f"HTTP/1.1 206 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\nETag: "
        etag = ETAG if len(ranges) <= change_after else '"other"'
        writer.write(f"{head}{etag}\r\n\r\n".encode())
        writer.write(body if len(ranges) > breaks else body[:400_000])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = AioConfig(region_name="us-east-1", s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    client = get_session().create_client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the server takes any
        config=config,
    )
    async with server, client as s3:
        yield S3Sources(s3), ranges


async def test_every_byte_comes_once_over_broken_connections() -> None:
    async with flaky_s3(breaks=3) as (sources, ranges):
        file = SourceFile("s3://raw/x.csv", len(CONTENT), ETAG)
        assert b"".join([piece async for piece in sources.read(file)]) == CONTENT
        assert len(ranges) == 4


async def test_a_file_that_changes_meanwhile_ends_the_reading() -> None:
    async with flaky_s3(breaks=3, change_after=1) as (sources, _):
        file = SourceFile("s3://raw/x.csv", len(CONTENT), ETAG)
        with pytest.raises(SourceError, match="has changed"):
            _ = [piece async for piece in sources.read(file)]
