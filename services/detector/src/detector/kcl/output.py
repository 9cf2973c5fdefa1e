"""The daemon's output as our log lines: children's lines pass as they are, Java's are wrapped."""

import sys
from asyncio import StreamReader
from typing import Final, TextIO

from servicekit.logs import get_logger

_PREFIX: Final = "KCL\t"
_PARTS: Final = 5
_log = get_logger(__name__)


async def log_output(lines: StreamReader, errors: TextIO | None = None) -> None:
    """Log every line of the daemon until there is no more.

    Args:
        lines: stdout and stderr of the daemon, in which its children's stderr is.
        errors: where the children's own log lines go, stderr by default.
    """
    while not lines.at_eof():
        try:
            line = await lines.readline()
        except ValueError:  # longer than the reader's limit, and dropped by it
            _log.warning("kcl_daemon_output", line="(too long)")
            continue
        log_line(line.decode(errors="backslashreplace").rstrip("\n"), errors or sys.stderr)


def log_line(line: str, errors: TextIO) -> None:
    """Log one line."""
    if line.startswith('{"time"'):
        errors.write(line + "\n")
        errors.flush()
    elif line.startswith(_PREFIX) and len(parts := line.split("\t")) == _PARTS:
        _, level, logger, message, trace = parts
        tell = {"ERROR": _log.error, "WARN": _log.warning}.get(level, _log.debug)
        tell("kcl_daemon", java_logger=logger, message=message, **({"java_trace": trace} if trace else {}))
    elif line.strip():
        _log.warning("kcl_daemon_output", line=line)
