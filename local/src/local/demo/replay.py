"""Asks the producer to play the files, over its HTTP interface."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from local.demo.stage import Staged
from local.errors import LocalError

TIMEOUT = 30.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """How far a replay is."""

    phase: str
    bytes_read: int
    bytes_total: int
    rows: int  # bad and planted ones included
    sent: int
    error: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be sent."""
        return self.phase in ("finished", "failed", "stopped")


class Replay:
    """One replay of the producer at `address`."""

    def __init__(self, address: str) -> None:
        """Ask nothing yet."""
        self._address = address
        self._path = "/replays"

    def start(self, staged: Staged, *, speed: float) -> None:
        """Start playing the files with the bots among their rows, ending now in event time."""
        options = {
            "sources": staged.sources,
            "speed": speed,
            "clock": "event",
            "anchor": "end",
            "inject": staged.bots,
            "labels": staged.labels,
        }
        self._path += "/" + self._call("POST", options)["replay_id"]

    def look(self) -> Playing:
        """Return how far it is."""
        reply = self._call("GET")
        return Playing(**{name: reply[name] for name in Playing.__slots__})

    def _call(self, method: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own address
            self._address + self._path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:  # noqa: S310 - our own address
                return json.load(reply)
        except urllib.error.HTTPError as error:
            message = f"The producer refused: {error.code} {error.read().decode(errors='replace')}"
            raise LocalError(message) from error
        except (OSError, http.client.HTTPException) as error:
            message = f"The producer at {self._address} does not answer: {error}"
            raise LocalError(message) from error
