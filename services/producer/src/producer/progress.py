"""How far a replay has come."""

from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["starting", "scanning", "resuming", "replaying", "draining", "finished", "stopped", "failed"]


@dataclass(slots=True, kw_only=True)
class Progress:
    """Counts of one run; changed by the replay alone, read by whoever shows it."""

    phase: Phase = "starting"
    bytes_total: int = 0
    bytes_read: int = 0  # as stored: compressed
    rows: int = 0  # read, bad and planted ones included
    planted: int = 0
    sent: int = 0  # accepted by Kinesis
    found: int = 0  # on resume: already there
    bad: int = 0
    late: int = 0  # sent into a window that had ended before, by what its shard had shown
    late_from_start: int = 0  # of these, by what the stream had shown before this replay
    heartbeats: int = 0
    retries: int = 0  # records sent again
    requests: int = 0
    confirmed: int = 0  # rows
    last_stamp: int = 0  # ms since the epoch
    behind_s: float = 0.0  # the schedule
    incomplete: list[str] = field(default_factory=list)  # files that could not be read to their end
    notes: list[str] = field(default_factory=list)  # what the person who started it should know
    error: str = ""
    over: bool = False  # nothing changes any more
