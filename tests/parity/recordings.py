"""Recordings, which the Flink job reads as it reads a stream: records in the order of reading, each with its shard.

The form is described in flink/src/files/java/storepulse/flink/files/RecordedReader.java.
"""

import struct
from collections.abc import Collection, Iterable, Sequence


def record(payload: bytes, *, shard: str, arrival: int) -> bytes:
    """Return a record of `shard` that came to the stream at `arrival`, in milliseconds since the epoch."""
    return b"R" + _name(shard) + struct.pack(">qi", arrival, len(payload)) + payload


def records(payloads: Iterable[bytes], *, shard: str, arrival: int) -> bytes:
    """Return records of one shard that all came at `arrival`."""
    return b"".join(record(payload, shard=shard, arrival=arrival) for payload in payloads)


def idleness(shards: Sequence[str], active: Collection[str]) -> bytes:
    """Return what says that of `shards` only those in `active` are not idle."""
    woken = b"".join(b"A" + _name(shard) for shard in shards if shard in active)
    return woken + b"".join(b"I" + _name(shard) for shard in shards if shard not in active)


def _name(shard: str) -> bytes:
    return struct.pack(">H", len(shard)) + shard.encode("ascii")
