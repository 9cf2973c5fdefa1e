"""Lines to rows of values. Nothing here raises, whatever the lines.

A quoted value may hold line ends, so a record may span lines; but a stray quote must not swallow what follows it. So
a record has `MAX_RECORD_LINES` lines at most; when it does not end by then, or ends with the wrong number of values,
its first line alone is bad and reading goes on at the next.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from producer.reading.lines import MAX_LINE, Line
from storepulse.failures import BadPayload, FailureKind

MAX_RECORD_LINES: Final = 32
_BOM: Final = b"\xef\xbb\xbf"
csv.field_size_limit(MAX_LINE)


class Row(NamedTuple):
    """A row's values, as many as the header has."""

    line: int  # where it starts, from 1
    values: list[str]
    raw: bytes | None = None  # None: the values with commas between them

    def as_read(self) -> bytes:
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
            self.header = next(csv.reader([text.decode(errors="replace").replace("\r", "")]), [])

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
    first, text = held[0], ""
    if first.too_long or b"\0" in first.text:
        return _refuse(first, [], header), 1
    for used, line in enumerate(held, 1):
        try:
            text += ("\n" if used > 1 else "") + line.text.decode()
        except UnicodeDecodeError as error:
            return _bad(first, f"not UTF-8: {error.reason}, in or after a quoted value"), 1
        if len(text) > MAX_LINE or used > MAX_RECORD_LINES:
            return _bad(first, "a quote that is not closed"), 1
        values = _split(text)
        if values is not None:
            return _closed(first, text, values, header, used)
    return (_bad(first, "a quote that is not closed"), 1) if last else None


def _closed(first: Line, text: str, values: list[str], header: list[str], used: int) -> tuple[Row | BadRow, int]:
    """Judge a record whose quotes are all closed; when it is wrong, only its first line is."""
    if not values:
        return _bad(first, "its quotes are not those of a CSV value"), 1
    if len(values) != len(header) or "\0" in text:
        return _refuse(first, values, header), 1
    return Row(first.number, values, text.encode()), used


def _split(text: str) -> list[str] | None:
    """Return the values of a record, none when it is wrong, None when it ends inside a quoted value."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else []


def _refuse(line: Line, values: list[str], header: list[str]) -> BadRow:
    if line.too_long:
        reason = f"a line of more than {MAX_LINE:,} bytes; the payload is its beginning"
        return BadRow(line.number, line.text, BadPayload(FailureKind.TOO_LARGE, reason))
    if b"\0" in line.text:
        return _bad(line, "a NUL byte")
    return _bad(line, f"{len(values)} values where the header has {len(header)}")


def _bad(line: Line, reason: str) -> BadRow:
    return BadRow(line.number, line.text, BadPayload(FailureKind.MALFORMED, reason))
