"""What GetRecords and PutRecords carry, as it is on the wire (data in base64 there, in bytes here)."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    """A record as GetRecords gives it."""

    data: bytes
    sequence_number: str
    partition_key: str
    approximate_arrival_timestamp: float | None = None  # seconds since the epoch

    @property
    def arrived_ms(self) -> int | None:
        """When Kinesis took it: milliseconds since the epoch, by Kinesis's clock."""
        arrived = self.approximate_arrival_timestamp
        return None if arrived is None else round(arrived * 1000)


class Child(msgspec.Struct, frozen=True, rename="pascal"):
    """A shard that continues one that has ended."""

    shard_id: str
    parent_shards: list[str] = []


class Page(msgspec.Struct, frozen=True, rename="pascal"):
    """One reply of GetRecords; `next_shard_iterator` is None at the end of a shard."""

    records: list[Record]
    next_shard_iterator: str | None = None
    millis_behind_latest: int = 0
    child_shards: list[Child] = []


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="pascal"):
    """A record as PutRecords takes it."""

    data: bytes
    partition_key: str
    explicit_hash_key: str | None = None  # decides the shard in place of the partition key


class Result(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    """What became of an entry: shard and sequence number, or an error."""

    shard_id: str | None = None
    sequence_number: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class Answer(msgspec.Struct, frozen=True, rename="pascal"):
    """One reply of PutRecords: a result for each entry, in order."""

    records: list[Result]
    failed_record_count: int | None = None


decode_page: Final = msgspec.json.Decoder(Page).decode
decode_answer: Final = msgspec.json.Decoder(Answer).decode
_encode: Final = msgspec.json.Encoder().encode


def encode_request(parameters: Mapping[str, object], entries: Sequence[Entry]) -> bytes:
    """Return the body of a PutRecords request: its other `parameters`, such as StreamName, and its records."""
    return _encode({**parameters, "Records": entries})
