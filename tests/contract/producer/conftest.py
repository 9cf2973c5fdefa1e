"""Every port, over each of its adapters: in memory, over files, and over the emulated AWS."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from producer.adapters.file_sources import FileSources
from producer.adapters.file_states import FileStates
from producer.adapters.kinesis_stream import connect
from producer.adapters.memory import MemorySources, MemoryStamps, MemoryStates, MemoryStream
from producer.adapters.s3_sources import S3Sources
from producer.adapters.s3_stamps import S3Stamps
from producer.adapters.s3_states import S3States
from producer.ports import Sources, StampStore, StateStore, Stream
from tests.emulator import REGION, Emulator

CONFIG = AioConfig(region_name=REGION, s3={"addressing_style": "path"})
FILES = {"in/a.csv": b"first", "in/b.csv": b"0123456789" * 100_000, "in/sub/c.csv": b"last", "other.csv": b"no"}


@pytest.fixture(params=["memory", "emulator"])
async def stream(request: pytest.FixtureRequest) -> AsyncIterator[Stream]:
    if request.param == "memory":
        yield MemoryStream(2)
        return
    aws: Emulator = request.getfixturevalue("aws")
    name = f"contract-{uuid4().hex[:8]}"
    aws.client("kinesis").create_stream(StreamName=name, ShardCount=2)
    async with connect(name, region=REGION, endpoint_url=aws.url, timeout_s=10, connections=4) as connected:
        yield connected


@pytest.fixture(params=["memory", "file", "emulator"])
async def states(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StateStore]:
    async with AsyncExitStack() as stack:
        match request.param:
            case "memory":
                yield MemoryStates()
            case "file":
                yield FileStates(tmp_path / "states")
            case _:
                aws: Emulator = request.getfixturevalue("aws")
                bucket = f"contract-{uuid4().hex[:8]}"
                aws.client("s3").create_bucket(Bucket=bucket)
                s3 = get_session().create_client("s3", endpoint_url=aws.url, config=CONFIG)
                yield S3States(await stack.enter_async_context(s3), bucket)


@pytest.fixture(params=["memory", "emulator"])
async def stamps(request: pytest.FixtureRequest) -> AsyncIterator[StampStore]:
    if request.param == "memory":
        yield MemoryStamps()
        return
    aws: Emulator = request.getfixturevalue("aws")
    bucket = f"contract-{uuid4().hex[:8]}"
    aws.client("s3").create_bucket(Bucket=bucket)
    async with get_session().create_client("s3", endpoint_url=aws.url, config=CONFIG) as s3:
        yield S3Stamps(s3, bucket, "stream-1")


@pytest.fixture(params=["memory", "file", "emulator"])
async def found(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Sources, str]]:
    """Yield where `FILES` are, and what comes before their names."""
    async with AsyncExitStack() as stack:
        match request.param:
            case "memory":
                yield MemorySources({f"s3://raw/{name}": content for name, content in FILES.items()}), "s3://raw/"
            case "file":
                for name, content in FILES.items():
                    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                    (tmp_path / name).write_bytes(content)
                yield FileSources(), f"{tmp_path}{os.sep}"
            case _:
                aws: Emulator = request.getfixturevalue("aws")
                bucket = f"contract-{uuid4().hex[:8]}"
                aws.client("s3").create_bucket(Bucket=bucket)
                for name, content in FILES.items():
                    aws.client("s3").put_object(Bucket=bucket, Key=name, Body=content)
                s3 = get_session().create_client("s3", endpoint_url=aws.url, config=CONFIG)
                yield S3Sources(await stack.enter_async_context(s3)), f"s3://{bucket}/"
