"""When an object is full: Firehose's rule of size or age, whichever comes first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MEBIBYTE: Final = 1024 * 1024
DELIMITER: Final = b"\n"
"""What AppendDelimiterToRecord adds to each record, so that an archive of JSON records is JSON lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Buffering hints.

    Attributes:
        size: bytes before compression.
        age: since the first record of the object was read.
    """

    size: int = 5 * MEBIBYTE
    age: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the stream, as read."""

    shard_id: str
    sequence_number: str
    arrived: datetime
    data: bytes


@dataclass(slots=True, kw_only=True)
class Buffer:
    """The records of the next object; time is the caller's, in seconds of any monotonic clock."""

    limits: Limits
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    positions: dict[str, str] = field(default_factory=dict)
    oldest: datetime | None = None
    opened_at: float | None = None

    def add(self, record: Record, *, now: float) -> None:
        """Append one record and its newline."""
        self.parts += (record.data, DELIMITER)
        self.size += len(record.data) + len(DELIMITER)
        self.positions[record.shard_id] = record.sequence_number
        self.oldest = record.arrived if self.oldest is None else min(self.oldest, record.arrived)
        self.opened_at = now if self.opened_at is None else self.opened_at

    def is_due(self, *, now: float) -> bool:
        """Say whether the object must be written now; an empty one never is."""
        if self.opened_at is None:
            return False
        return self.size >= self.limits.size or now - self.opened_at >= self.limits.age.total_seconds()

    def body(self) -> bytes:
        """Return the object's content before compression."""
        return b"".join(self.parts)

    def read_up_to(self) -> Mapping[str, str]:
        """Return, per shard, the sequence number of its last record in here."""
        return dict(self.positions)
