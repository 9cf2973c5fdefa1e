"""The `Sources` port over this machine's files; for the command line alone."""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from producer.errors import SourceError
from producer.ports import SourceFile

_PIECE: Final = 256 * 1024


class FileSources:
    """Files and folders."""

    async def find(self, url: str) -> list[SourceFile]:
        """See the port: a folder is every file under it, in the order of their paths; hidden ones are left out."""
        return await asyncio.to_thread(_find, Path(url))

    async def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        """See the port."""
        try:
            with await asyncio.to_thread(Path(file.url).open, "rb") as opened:
                _require_unchanged(file, os.fstat(opened.fileno()))
                while piece := await asyncio.to_thread(opened.read, _PIECE):
                    yield piece
                _require_unchanged(file, os.fstat(opened.fileno()))
        except OSError as error:
            raise _unreadable(file.url, error) from error

    async def load(self, url: str, limit: int) -> bytes:
        """See the port."""
        path = Path(url)
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
            if size <= limit:
                return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise _unreadable(url, error) from error
        msg = f"{url}: {size:,} bytes; {limit:,} at most"
        raise SourceError(msg)

    async def store(self, url: str, content: bytes) -> None:
        """See the port."""
        try:
            await asyncio.to_thread(Path(url).write_bytes, content)
        except OSError as error:
            msg = f"{url}: cannot be written: {error.strerror}"
            raise SourceError(msg) from error


def _find(path: Path) -> list[SourceFile]:
    try:
        inside = sorted(each for each in path.rglob("*") if each.is_file() and not _is_hidden(each, path))
        files = [_file(each) for each in (inside if path.is_dir() else [path])]
    except OSError as error:
        raise _unreadable(str(path), error) from error
    if not inside and not path.is_dir() and not path.is_file():
        msg = f"{path}: is no file: a replay reads its files more than once, which a pipe or a device does not allow"
        raise SourceError(msg)
    if not files:
        msg = f"{path}: no file in it"
        raise SourceError(msg)
    return files


def _file(path: Path) -> SourceFile:
    status = path.stat()
    return SourceFile(str(path), status.st_size, _version(status))


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}-{status.st_size}"


def _require_unchanged(file: SourceFile, status: os.stat_result) -> None:
    if _version(status) != file.version:
        msg = f"{file.url}: has changed since the replay began"
        raise SourceError(msg)


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _unreadable(url: str, error: OSError) -> SourceError:
    return SourceError(f"{url}: cannot be read: {error.strerror}")
