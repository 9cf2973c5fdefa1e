"""Log lines like the services': one JSON object each, on stderr."""

import json
import sys
from contextlib import suppress
from datetime import UTC, datetime


class Journal:
    """The log of one process."""

    def __init__(self, service: str) -> None:
        """Write as `service`."""
        self._service = service

    def info(self, event: str, **fields: object) -> None:
        """Write what happened."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write what went wrong and is being put right by itself."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Write what a person must look at."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": level, "service": self._service, "event": event, **fields}
        with suppress(OSError):  # a full disk must cost the line, not what it tells of
            sys.stderr.write(json.dumps(line, default=str) + "\n")
            sys.stderr.flush()
