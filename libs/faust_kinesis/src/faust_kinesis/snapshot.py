"""All checkpoints of an exclusive worker as one DynamoDB item: they move together, or none does. Pure.

An application with one watermark over all shards would take half a commit for a whole one: what the missing half had
counted would be late. A transaction takes a hundred items, one item takes some thousand checkpoints.
"""

import zlib
from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

import msgspec

from faust_kinesis.lease import Checkpoint

KEY: Final = "*"  # no stream has such a name
MAX_BYTES: Final = 399_000  # of an item's 400 KB; the rest is the key and the owner

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, Checkpoint]).decode


def to_item(owner: str, points: Mapping[str, Checkpoint]) -> dict[str, Any]:
    """Return the item that holds `points`, by lease key.

    Raises:
        ValueError: they are larger than an item may be.
    """
    packed = zlib.compress(_encode(points), level=1)
    if len(packed) > MAX_BYTES:
        msg = f"the checkpoints of {len(points)} shards are {len(packed)} bytes, one item holds {MAX_BYTES}"
        raise ValueError(msg)
    return {"key": {"S": KEY}, "owner": {"S": owner}, "checkpoints": {"B": packed}}


def from_item(item: Mapping[str, Any]) -> dict[str, Checkpoint]:
    """Return the checkpoints in an item, by lease key; none when nothing was committed yet."""
    packed = item.get("checkpoints")
    return _decode(zlib.decompress(packed["B"])) if packed else {}


def newest(*found: Mapping[str, Checkpoint]) -> dict[str, Checkpoint]:
    """Return the highest version of each shard's checkpoint."""
    best: dict[str, Checkpoint] = {}
    for key, point in chain.from_iterable(points.items() for points in found):
        if key not in best or point.version > best[key].version:
            best[key] = point
    return best
