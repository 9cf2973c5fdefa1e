"""Cuts bytes into lines of bounded length."""

from typing import Final, NamedTuple

MAX_LINE: Final = 1024 * 1024  # no event is longer


class Line(NamedTuple):
    """A line without its end."""

    number: int  # from 1
    text: bytes
    too_long: bool = False  # `text` is then its beginning


class Lines:
    """Takes pieces of a file in order and returns the lines that are complete."""

    def __init__(self, longest: int = MAX_LINE) -> None:
        """Start before line 1; keep `longest` bytes of a line at most."""
        self._longest = longest
        self._number = 0
        self._rest = b""
        self._skipping = False  # inside a line that is too long

    @property
    def number(self) -> int:
        """How many lines there have been."""
        return self._number

    def feed(self, data: bytes) -> list[Line]:
        """Return the lines that `data` completes."""
        *complete, rest = data.split(b"\n")
        if complete:
            complete[0] = self._rest + complete[0]
            self._rest = rest
        else:
            self._rest += rest
        lines = [self._line(text) for text in complete]
        if len(self._rest) > self._longest:
            self._rest = self._rest[: self._longest]
            self._skipping = True
        return lines

    def close(self) -> list[Line]:
        """Return the last line, if the file does not end with a line's end."""
        return [self._line(self._rest)] if self._rest else []

    def _line(self, text: bytes) -> Line:
        self._number += 1
        too_long, self._skipping = self._skipping or len(text) > self._longest, False
        return Line(self._number, text[: self._longest].removesuffix(b"\r"), too_long)
