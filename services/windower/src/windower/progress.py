"""What is stored with a shard's checkpoint, and what a restart makes of it.

The offset in a checkpoint says from where the records come again: from the oldest batch with a record in a window that
is not out. Two things more are needed so that they end as they did before:

- `watermark`: every window that ends at or before it is out. What comes again for such a window is not counted twice.
- `decided`: the last record whose fate was settled, its bad event delivered. A record up to there that belongs to a
  window that is out *was* counted (or was reported late); one after it never was, so it is late now.

Both may be newer than the offset, never older: they are set before the batches they speak of are acknowledged.
"""

from typing import Final

import msgspec

from storepulse.streaming.watermarks import BEGINNING


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One shard's progress, in its checkpoint's metadata as JSON."""

    watermark: int = BEGINNING  # milliseconds since the epoch
    decided: str = ""  # a Kinesis sequence number; empty = none yet

    def covers(self, sequence_number: str) -> bool:
        """Say whether the record with `sequence_number` was decided."""
        return bool(self.decided) and int(sequence_number) <= int(self.decided)


_decode: Final = msgspec.json.Decoder(Progress).decode


def to_metadata(progress: Progress) -> str:
    """Return `progress` as the text that is committed."""
    return msgspec.json.encode(progress).decode()


def from_metadata(text: str) -> Progress:
    """Return the progress that was committed as `text`; empty means a shard never read before.

    Raises:
        msgspec.DecodeError: the text is not of a windower; to go on regardless would count wrongly.
    """
    return _decode(text) if text else Progress()
