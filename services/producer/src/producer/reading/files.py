"""A file of a source to its rows, a piece at a time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Final, NamedTuple, TypeVar

from producer.errors import SourceError
from producer.ports import SourceFile, Sources
from producer.reading.csv import BadRow, CsvRows, Row
from producer.reading.gunzip import Gunzip
from producer.reading.lines import Line, Lines
from storepulse.failures import BadPayload, FailureKind
from storepulse.replay.rows import HeaderError, RowCodec

READ_AHEAD: Final = 4  # pieces of some 256 KB
T = TypeVar("T")


class Piece(NamedTuple):
    """Rows of one file, in order."""

    codec: RowCodec
    rows: list[Row | BadRow]


class _End(NamedTuple):
    error: Exception | None


class FileReader:
    """Makes rows of one file's bytes; reads nothing itself."""

    def __init__(self, url: str, key: str) -> None:
        """Read the file at `url`, partitioned by column `key`."""
        self._url, self._key = url, key
        self._gunzip, self._lines, self._csv = Gunzip(), Lines(), CsvRows()
        self._codec: RowCodec | None = None

    @property
    def failure(self) -> str | None:
        """Why the file could not be read to its end."""
        return self._gunzip.failure

    def feed(self, data: bytes) -> Iterable[Piece]:
        """Yield the rows that `data` completes.

        Raises:
            SourceError: the file has no header.
        """
        for text in self._gunzip.feed(data):
            yield from self._rows(self._lines.feed(text))

    def close(self) -> Iterable[Piece]:
        """Yield the rows that the end of the file decides.

        Raises:
            SourceError: the file has no header.
        """
        for text in self._gunzip.close():
            yield from self._rows(self._lines.feed(text))
        rest = self._lines.close()
        yield from self._rows([] if self.failure else rest)
        ending = list(self._csv.close())
        if self.failure:
            ending.append(_cut_off(self._lines.number + (not rest), rest, self.failure))
        if ending and self._codec is None:
            msg = f"{self._url}: {self.failure}, before its first line"
            raise SourceError(msg)
        if ending and self._codec is not None:
            yield Piece(self._codec, ending)

    def _rows(self, lines: list[Line]) -> Iterable[Piece]:
        rows = list(self._csv.feed(lines))
        if self._codec is None and self._csv.header is not None:
            try:
                self._codec = RowCodec(self._url, self._csv.header, key=self._key)
            except HeaderError as error:
                raise SourceError(str(error)) from error
        if rows and self._codec is not None:
            yield Piece(self._codec, rows)


def _cut_off(number: int, rest: list[Line], failure: str) -> BadRow:
    raw = rest[0].text if rest else b""
    return BadRow(number, raw, BadPayload(FailureKind.MALFORMED, f"{failure}; what follows is lost"))


async def read_file(
    sources: Sources, file: SourceFile, key: str, on_bytes: Callable[[int], None], on_failure: Callable[[str], None]
) -> AsyncGenerator[Piece, None]:
    """Yield the rows of `file`.

    Args:
        sources: where it is.
        file: which.
        key: the column of the partition key.
        on_bytes: told how many more bytes have been read.
        on_failure: told when the file cannot be read to its end; the rows before that have been yielded.

    Raises:
        SourceError: it cannot be read, or has no header.
    """
    reader = FileReader(file.url, key)
    async with aclosing(ahead(sources.read(file), READ_AHEAD)) as pieces:
        async for data in pieces:
            on_bytes(len(data))
            for piece in reader.feed(data):
                yield piece
            if reader.failure:
                break
    for piece in reader.close():
        yield piece
    if reader.failure:
        on_failure(f"{file.url}: {reader.failure}")


async def ahead(items: AsyncGenerator[T, None], most: int) -> AsyncGenerator[T, None]:
    """Yield `items`, of which up to `most` are fetched while the consumer is busy."""
    queue: asyncio.Queue[T | _End] = asyncio.Queue(most)

    async def fetch() -> None:
        end = _End(None)
        try:
            async for item in items:
                await queue.put(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the items are used
            end = _End(error)
        await queue.put(end)

    task = asyncio.create_task(fetch())
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
