"""The `Sources` port over others: by a URL's form, or held to one bucket."""

from collections.abc import AsyncGenerator

from producer.errors import SourceError
from producer.ports import SourceFile, Sources

S3: str = "s3://"


class RoutedSources:
    """`s3://` URLs from one place, paths from another; for the command line."""

    def __init__(self, *, s3: Sources, paths: Sources) -> None:
        """Read from both."""
        self._s3, self._paths = s3, paths

    def _of(self, url: str) -> Sources:
        return self._s3 if url.startswith(S3) else self._paths

    async def find(self, url: str) -> list[SourceFile]:
        """See the port."""
        return await self._of(url).find(url)

    def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        """See the port."""
        return self._of(file.url).read(file)

    async def load(self, url: str, limit: int) -> bytes:
        """See the port."""
        return await self._of(url).load(url, limit)

    async def store(self, url: str, content: bytes) -> None:
        """See the port."""
        await self._of(url).store(url, content)


class OneBucket:
    """One bucket's objects alone: whoever may start a replay over HTTP reads and writes nothing else."""

    def __init__(self, s3: Sources, bucket: str) -> None:
        """Let through what is in `bucket`."""
        self._s3, self._bucket = s3, bucket

    def _check(self, url: str) -> str:
        if not url.startswith(f"{S3}{self._bucket}/"):
            msg = f"{url!r} is not in the raw bucket: it must begin with {S3}{self._bucket}/"
            raise SourceError(msg)
        return url

    async def find(self, url: str) -> list[SourceFile]:
        """See the port."""
        return await self._s3.find(self._check(url))

    def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        """See the port."""
        self._check(file.url)
        return self._s3.read(file)

    async def load(self, url: str, limit: int) -> bytes:
        """See the port."""
        return await self._s3.load(self._check(url), limit)

    async def store(self, url: str, content: bytes) -> None:
        """See the port; only under `labels/`, so that no input and no state can be overwritten."""
        if not self._check(url).startswith(f"{S3}{self._bucket}/labels/"):
            msg = f"labels are written under {S3}{self._bucket}/labels/, not to {url!r}"
            raise SourceError(msg)
        await self._s3.store(url, content)
