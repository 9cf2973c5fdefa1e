"""Which offset may be committed, and what a commit writes. Pure."""

from collections.abc import Collection, Mapping
from typing import Protocol

from faust.types import TP

from faust_kinesis.lease import Checkpoint, Lease

MAX_METADATA = 32 * 1024  # bytes; a hundred of them fit one DynamoDB transaction


class Sequences(Protocol):
    """Maps a batch's offset back to the sequence number of its last record."""

    def sequence_at(self, offset: int) -> str:
        """Return the last sequence number of the batch at `offset`."""


def next_offset(committed: int, acknowledged: Collection[int]) -> int:
    """Return the offset to commit: every offset before it is acknowledged or was committed.

    Faust 0.15.3's own version takes the first run of acknowledged offsets even when the offset right before that
    run is still unacknowledged, and so loses data.
    """
    offset = committed
    while offset in acknowledged:
        offset += 1
    return offset


def checkpoint(lease: Lease, reader: Sequences, offset: int | None, metadata: str) -> Checkpoint | None:
    """Return what to write for a shard: a new offset, new metadata, both, or None for neither.

    Raises:
        ValueError: the metadata is larger than 32 KiB.
    """
    if offset is None and metadata == lease.metadata:
        return None
    if len(metadata.encode()) > MAX_METADATA:
        msg = f"the commit metadata of {lease.key} is larger than {MAX_METADATA} bytes"
        raise ValueError(msg)
    if offset is None:
        return Checkpoint(offset=lease.offset, sequence=lease.sequence, metadata=metadata, version=lease.version + 1)
    sequence = reader.sequence_at(offset - 1)
    return Checkpoint(offset=offset, sequence=sequence, metadata=metadata, version=lease.version + 1)


def checkpoints(
    leases: Mapping[TP, Lease], readers: Mapping[TP, Sequences], offsets: Mapping[TP, int], metadata: Mapping[TP, str]
) -> dict[str, Checkpoint]:
    """Return what to write, by lease key, for the shards in both `leases` and `readers`.

    `metadata` is read now, after the offsets were chosen: it may be newer than its offset, never older.
    """
    found = {
        lease.key: checkpoint(lease, readers[tp], offsets.get(tp), metadata.get(tp, lease.metadata))
        for tp, lease in leases.items()
        if tp in readers
    }
    return {key: point for key, point in found.items() if point is not None}
