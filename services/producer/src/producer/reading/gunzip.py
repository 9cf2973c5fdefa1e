"""Decompresses gzip as it comes, a bounded piece at a time."""

import zlib
from collections.abc import Iterator
from typing import Final

MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE: Final = 256 * 1024


class Gunzip:
    """Takes a file's bytes in order and yields its text's; a file without gzip's magic number goes through as it is.

    After the last bytes, and after any error, `failure` says whether the file could not be read to its end.
    """

    def __init__(self) -> None:
        """Wait for the first bytes."""
        self.failure: str | None = None
        self._head: bytes | None = b""
        self._inflate: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` holds, in pieces of bounded size."""
        if self._head is not None:
            data = self._head + data
            if len(data) < len(MAGIC):
                self._head = data
                return
            self._head = None
            self._inflate = zlib.decompressobj(_GZIP) if data.startswith(MAGIC) else None
        if self._inflate is None:
            yield data
        elif self.failure is None:
            yield from self._decompress(data)

    def _decompress(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inflate is None or self._inflate.eof:  # a file may hold several members
                data = data.lstrip(b"\0")  # padding between or after them
                if not data:
                    return
                self._inflate = zlib.decompressobj(_GZIP)
            try:
                piece = self._inflate.decompress(data, _PIECE)
            except zlib.error as error:
                self.failure = f"its gzip is damaged: {error}"
                return
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece:
                yield piece

    def close(self) -> Iterator[bytes]:
        """Yield what was held back, and set `failure` when the file ended too early."""
        if self._head:
            yield self._head
        if self._inflate is not None and not self._inflate.eof and self.failure is None:
            self.failure = "its gzip ends early: the file is cut off"
