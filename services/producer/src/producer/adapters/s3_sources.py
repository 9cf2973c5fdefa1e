"""The `Sources` port over S3: objects and prefixes, read as a stream that survives broken connections."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from producer.errors import SourceError
from producer.ports import SourceFile
from servicekit.logs import get_logger

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client

PIECE: Final = 256 * 1024
_ATTEMPTS: Final = 30  # in a row without a byte: with the pauses between them, over a minute
_LONGEST_PAUSE_S: Final = 5.0
_MAX_FILES: Final = 100_000
_BROKEN: Final = (HTTPClientError, HttpError, BotoCoreError, OSError, TimeoutError)
_log = get_logger(__name__)


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key of `s3://bucket/key`.

    Raises:
        SourceError: `url` is none.
    """
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        msg = f"{url!r} is not of the form s3://bucket/key"
        raise SourceError(msg)
    return bucket, key


class S3Sources:
    """Objects in S3."""

    def __init__(self, client: "S3Client") -> None:
        """Use `client`."""
        self._client = client

    async def find(self, url: str) -> list[SourceFile]:
        """See the port: `s3://bucket/key` is one object, `s3://bucket/prefix/` all those under it."""
        bucket, key = split_url(url)
        try:
            return await (
                self._find_all(bucket, key) if key in {"", "/"} or key.endswith("/") else self._find_one(bucket, key)
            )
        except (ClientError, BotoCoreError) as error:
            msg = f"{url}: cannot be read: {error}"
            raise SourceError(msg) from error

    async def _find_one(self, bucket: str, key: str) -> list[SourceFile]:
        head = await self._client.head_object(Bucket=bucket, Key=key)
        return [SourceFile(f"s3://{bucket}/{key}", head["ContentLength"], head["ETag"])]

    async def _find_all(self, bucket: str, prefix: str) -> list[SourceFile]:
        files: list[SourceFile] = []
        async for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            files += [
                SourceFile(f"s3://{bucket}/{each['Key']}", each["Size"], each["ETag"])
                for each in page.get("Contents", [])
                if not each["Key"].endswith("/")
            ]
            if len(files) > _MAX_FILES:
                break
        if not files or len(files) > _MAX_FILES:
            msg = f"s3://{bucket}/{prefix}: " + (
                "no object under it" if not files else f"more than {_MAX_FILES:,} objects"
            )
            raise SourceError(msg)
        return files

    async def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        """See the port: a broken connection is taken up again at the byte where it broke."""
        offset = failures = 0
        while offset < file.size:
            try:
                async for piece in self._read_from(file, offset):
                    offset += len(piece)
                    failures = 0
                    yield piece
            except ClientError as error:
                failures = _next_failure(file, failures, error, final=_is_final(error))
            except _BROKEN as error:
                failures = _next_failure(file, failures, error, final=False)
            else:
                failures = failures + 1 if offset < file.size else 0
            if failures:
                await asyncio.sleep(min(0.1 * 2**failures, _LONGEST_PAUSE_S))

    async def _read_from(self, file: SourceFile, offset: int) -> AsyncGenerator[bytes, None]:
        bucket, key = split_url(file.url)
        reply = await self._client.get_object(Bucket=bucket, Key=key, Range=f"bytes={offset}-", IfMatch=file.version)
        async with reply["Body"] as body:
            if reply["ETag"] != file.version:
                msg = f"{file.url}: has changed since the replay began"
                raise SourceError(msg)
            while piece := await body.read(PIECE):
                yield piece

    async def load(self, url: str, limit: int) -> bytes:
        """See the port."""
        (file,) = (await self.find(url))[:1]
        if file.size > limit:
            msg = f"{url}: {file.size:,} bytes; {limit:,} at most"
            raise SourceError(msg)
        return b"".join([piece async for piece in self.read(file)])

    async def store(self, url: str, content: bytes) -> None:
        """See the port."""
        bucket, key = split_url(url)
        try:
            await self._client.put_object(Bucket=bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            msg = f"{url}: cannot be written: {error}"
            raise SourceError(msg) from error


def _is_final(error: ClientError) -> bool:
    status: Any = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return bool(status < 500 and status != 429)  # noqa: PLR2004 - HTTP's own numbers


def _next_failure(file: SourceFile, failures: int, error: Exception, *, final: bool) -> int:
    if final or failures + 1 >= _ATTEMPTS:
        msg = f"{file.url}: cannot be read on: {error}"
        raise SourceError(msg) from error
    _log.warning("source_connection_broken", url=file.url, attempt=failures + 1, reason=str(error)[:300])
    return failures + 1
