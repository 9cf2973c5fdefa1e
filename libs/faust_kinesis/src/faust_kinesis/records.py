"""What a message carries: records of one shard, as GetRecords gives them, cut into batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TypeVar, overload

from kinesis_wire.records import Record

Value = TypeVar("Value")

RECORD_OVERHEAD = 400  # bytes a Record weighs in memory beside its data


class Column(Sequence[Value]):
    """One thing about each of some records, looked up when asked for: few of them ever are."""

    def __init__(self, records: Sequence[Record], value_of: Callable[[Record], Value]) -> None:
        """Answer for `records`."""
        self._records = records
        self._value_of = value_of

    def __len__(self) -> int:
        """Count the records."""
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> Value: ...
    @overload
    def __getitem__(self, place: slice) -> "Column[Value]": ...
    def __getitem__(self, place: int | slice) -> "Value | Column[Value]":
        """Return that of one, or those of some of the records."""
        if isinstance(place, slice):
            return Column(self._records[place], self._value_of)
        return self._value_of(self._records[place])


@dataclass(frozen=True)
class RecordBatch:
    """The records of one message: consecutive, of one shard, at least one."""

    stream: str
    shard_id: str
    records: Sequence[Record]

    def __len__(self) -> int:
        """Count its records."""
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        """Go through its records in the shard's order."""
        return iter(self.records)

    @property
    def last_sequence_number(self) -> str:
        """The Kinesis sequence number that a checkpoint after this batch keeps."""
        return self.records[-1].sequence_number

    @property
    def sequence_numbers(self) -> Sequence[str]:
        """Each record's sequence number, in the shard's order; KPL records of one Kinesis record share theirs."""
        return Column(self.records, attrgetter("sequence_number"))

    @property
    def arrivals(self) -> Sequence[int | None]:
        """When Kinesis took each record, in the shard's order: milliseconds since the epoch, by Kinesis's clock."""
        return Column(self.records, attrgetter("arrived_ms"))

    def payloads(self) -> Sequence[bytes]:
        """Return each record's data, in the shard's order."""
        return self._payloads

    @cached_property
    def _payloads(self) -> list[bytes]:
        """Made once: to be weighed, and for the application."""
        return [record.data for record in self.records]

    def weigh(self) -> int:
        """Return about how many bytes of memory it takes."""
        return sum(map(len, self.payloads())) + RECORD_OVERHEAD * len(self.records)


def cut(groups: Sequence[Sequence[Record]], size: int) -> Iterator[list[Record]]:
    """Join `groups` into batches of at most `size` records; a group (one Kinesis record) is never split.

    A group larger than `size` is a batch by itself.
    """
    batch: list[Record] = []
    for group in groups:
        if batch and len(batch) + len(group) > size:
            yield batch
            batch = []
        batch.extend(group)
    if batch:
        yield batch
