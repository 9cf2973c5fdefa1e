"""Records on their way to Kinesis, and the chunks they leave in. Pure."""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TypeVar

import msgspec

from faust_kinesis.errors import RecordRefusedError
from kinesis_wire.records import Entry

MAX_RECORDS = 500  # in one PutRecords call
MAX_CALL_BYTES = 5 * 2**20  # data and partition keys of one call
MAX_RECORD_BYTES = 2**20  # data and partition key of one record
MAX_KEY_CHARACTERS = 256
MAX_UTF8_BYTES = 4  # of one character

Item = TypeVar("Item")


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A record as PutRecords takes it, and its bytes as Kinesis counts them."""

    entry: Entry
    size: int


def outgoing(key: str, data: bytes) -> Outgoing:
    """Check a record against Kinesis's limits.

    Raises:
        RecordRefusedError: data and key are over 1 MiB, or the key is empty or over 256 characters.
    """
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        msg = f"a partition key has 1 to {MAX_KEY_CHARACTERS} characters, not {len(key)}: {key[:40]!r}"
        raise RecordRefusedError(msg)
    size = len(data) + (len(key) if key.isascii() else len(key.encode()))
    if size > MAX_RECORD_BYTES:
        msg = f"a record with its key is at most {MAX_RECORD_BYTES} bytes, not {size} (key {key[:40]!r})"
        raise RecordRefusedError(msg)
    return Outgoing(Entry(data, key), size)


def calls(keys: Sequence[str], data: Sequence[bytes]) -> Iterator[list[Entry]]:
    """Check records, given as columns (a key for each of `data`), and cut them into PutRecords calls, in order.

    Raises:
        ValueError: there are not as many keys as data.
        RecordRefusedError: as `outgoing` does.
    """
    if len(keys) != len(data):
        msg = f"{len(keys)} partition keys and {len(data)} records"
        raise ValueError(msg)
    for start in range(0, len(data), MAX_RECORDS):
        some_keys, some = keys[start : start + MAX_RECORDS], data[start : start + MAX_RECORDS]
        if _together_small(some_keys, some):
            yield list(map(Entry, some, some_keys))
        else:
            for chunk in chunks(list(map(outgoing, some_keys, some))):
                yield [record.entry for record in chunk]


def _together_small(keys: Sequence[str], data: Sequence[bytes]) -> bool:
    """Say whether all records together are within one record's limit: none needs a look of its own then."""
    lengths = set(map(len, keys))
    longest = max(lengths)
    sound = 0 not in lengths and longest <= MAX_KEY_CHARACTERS
    return sound and len(keys) * longest * MAX_UTF8_BYTES + sum(map(len, data)) <= MAX_RECORD_BYTES


def chunks(items: Sequence[Item], size_of: Callable[[Item], int] = attrgetter("size")) -> Iterator[Sequence[Item]]:
    """Cut `items` into PutRecords calls: 500 records or 5 MiB each at most, in order."""
    for start in range(0, len(items), MAX_RECORDS):
        chunk = items[start : start + MAX_RECORDS]
        if sum(map(size_of, chunk)) <= MAX_CALL_BYTES:
            yield chunk
        else:
            yield from _chunks_by_bytes(chunk, size_of)


def _chunks_by_bytes(items: Sequence[Item], size_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    total = 0
    for item in items:
        size = size_of(item)
        if chunk and total + size > MAX_CALL_BYTES:
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += size
    yield chunk
