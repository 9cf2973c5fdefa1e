"""Lines to rows of values. Nothing here raises, whatever the lines.

A quoted value may hold line ends, so a record may span lines; but a stray quote must not swallow what follows it. So
a record has `MAX_RECORD_LINES` lines at most; when it does not end by then, or ends with the wrong number of values,
its first line alone is bad and reading goes on at the next.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from storepulse.failures import BadPayload, FailureKind

from producer.reading.lines import MAX_LINE, Line

MAX_RECORD_LINES: Final = 32
_BOM: Final = b"\xef\xbb\xbf"
csv.field_size_limit(MAX_LINE)


class Row(NamedTuple):
    """A row's values, as many as the header has."""

    line: int  # where it starts, from 1
    values: list[str]
    raw: bytes | None = None  # None: the values with commas between them

    def bytes(self) -> bytes:
        """Return the row as it stands in the file."""
        return ",".join(self.values).encode() if self.raw is None else self.raw


class BadRow(NamedTuple):
    """Bytes that are no row."""

    line: int
    raw: bytes
    bad: BadPayload


class CsvRows:
    """Takes lines in order, the header first, and yields rows and bad rows. Blank lines are nothing."""

    def __init__(self) -> None:
        """Wait for the header."""
        self.header: list[str] | None = None
        self._held: deque[Line] = deque()  # an open record

    def feed(self, lines: Iterable[Line]) -> Iterator[Row | BadRow]:
        """Yield what `lines` complete."""
        for line in lines:
            if self.header is None:
                self._read_header(line)
            elif self._held or b'"' in line.text:
                self._held.append(line)
                yield from self._resolve(last=False)
            elif line.text:
                yield self._plain(line, self.header)

    def close(self) -> Iterator[Row | BadRow]:
        """Yield what the end of the file decides."""
        yield from self._resolve(last=True)

    def _read_header(self, line: Line) -> None:
        text = line.text.removeprefix(_BOM) if line.number == 1 else line.text
        if text.strip():
            self.header = _split(text.decode(errors="replace"), strict=False) or []

    def _plain(self, line: Line, header: list[str]) -> Row | BadRow:
        try:
            values = line.text.decode().split(",")
        except UnicodeDecodeError as error:
            return _bad(line, f"not UTF-8: {error.reason} at byte {error.start}")
        if len(values) != len(header) or line.too_long or b"\0" in line.text:
            return _refuse(line, values, header)
        return Row(line.number, values)

    def _resolve(self, *, last: bool) -> Iterator[Row | BadRow]:
        """Yield what can be said of the held lines: nothing while a record may yet end."""
        while self._held and self.header is not None:
            if b'"' not in self._held[0].text:
                line = self._held.popleft()
                if line.text:
                    yield self._plain(line, self.header)
                continue
            outcome = _record(self._held, self.header, last=last)
            if outcome is None:
                return
            row, used = outcome
            for _ in range(used):
                self._held.popleft()
            yield row


def _record(held: deque[Line], header: list[str], *, last: bool) -> tuple[Row | BadRow, int] | None:
    """Return the record that begins the held lines and how many of them it takes, or None: more lines are needed."""
    first = held[0]
    if first.too_long or b"\0" in first.text:
        return _refuse(first, [], header), 1
    text = ""
    for used, line in enumerate(held, 1):
        try:
            text += ("\n" if text else "") + line.text.decode()
        except UnicodeDecodeError as error:
            return _bad(
                first, f"not UTF-8: {error.reason} at byte {error.start}, or a quote before it is not closed"
            ), 1
        if len(text) > MAX_LINE or used > MAX_RECORD_LINES:
            break
        values = _split(text, strict=True)
        if values is not None:
            if len(values) == len(header) and "\0" not in text:
                return Row(first.number, values, text.encode()), used
            return _refuse(first, values, header), 1
        if not _is_open(text):
            return _bad(first, "its quotes are not those of a CSV value"), 1
    else:
        if not last:
            return None
    return _bad(first, "a quote that is not closed"), 1


def _split(text: str, *, strict: bool) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=strict), [])
    except csv.Error:
        return None


def _is_open(text: str) -> bool:
    """Say whether `text` ends inside a quoted value, which a next line could close."""
    try:
        next(csv.reader([text], strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _refuse(line: Line, values: list[str], header: list[str]) -> BadRow:
    if line.too_long:
        reason = f"a line of more than {MAX_LINE:,} bytes; the payload is its beginning"
        return BadRow(line.number, line.text, BadPayload(FailureKind.TOO_LARGE, reason))
    if b"\0" in line.text:
        return _bad(line, "a NUL byte")
    return _bad(line, f"{len(values)} values where the header has {len(header)}")


def _bad(line: Line, reason: str) -> BadRow:
    return BadRow(line.number, line.text, BadPayload(FailureKind.MALFORMED, reason))
