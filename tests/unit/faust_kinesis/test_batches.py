import hashlib

from aws_kinesis_agg import MAGIC
from aws_kinesis_agg.aggregator import RecordAggregator
from hypothesis import example, given
from hypothesis import strategies as st

from faust_kinesis.aggregation import batches, user_records
from faust_kinesis.records import RecordBatch, cut
from kinesis_wire.records import Record

sizes = st.integers(1, 12)


def record(data: bytes, number: int = 1) -> Record:
    return Record(data=data, sequence_number=str(number), partition_key="k", approximate_arrival_timestamp=1.5)


def aggregate(entries: list[tuple[str, bytes]]) -> bytes:
    """As the KPL makes it (AWS's own aggregator; it is one record as long as it stays under 1 MiB)."""
    aggregator = RecordAggregator()
    for key, data in entries:
        aggregator.add_user_record(key, data)
    contents = aggregator.clear_and_get().get_contents()
    return bytes(contents[2])


entries = st.lists(st.tuples(st.text(min_size=1, max_size=5), st.binary(max_size=20)), min_size=1, max_size=30)
kinesis_data = st.one_of(st.binary(max_size=30), entries.map(aggregate))


@given(entries)
def test_an_aggregate_gives_its_user_records_in_order(given_entries: list[tuple[str, bytes]]) -> None:
    found = user_records(record(aggregate(given_entries), 7))
    assert [(r.partition_key, r.data) for r in found] == given_entries
    assert {r.sequence_number for r in found} == {"7"}
    assert {r.arrived_ms for r in found} == {1500}


@given(st.binary(max_size=60).map(MAGIC.__add__))
@example(MAGIC)
@example(MAGIC + b"" + hashlib.md5(b"", usedforsecurity=False).digest())
@example(MAGIC + b"\x1a\x02\x08\x05" + hashlib.md5(b"\x1a\x02\x08\x05", usedforsecurity=False).digest())
def test_a_broken_aggregate_is_passed_on_as_its_raw_bytes(data: bytes) -> None:
    assert user_records(record(data)) == [record(data)]


@given(entries, st.data())
def test_an_aggregate_with_any_byte_changed_is_passed_on_as_its_raw_bytes(
    given_entries: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    raw = bytearray(aggregate(given_entries))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 0xFF
    assert user_records(record(bytes(raw))) == [record(bytes(raw))]


@given(st.lists(kinesis_data, max_size=20), sizes)
def test_batches_hold_every_user_record_once_and_in_order(data: list[bytes], size: int) -> None:
    page = [record(item, number) for number, item in enumerate(data)]
    together = [r for batch in batches("s", "shard", page, size) for r in batch]
    assert together == [r for whole in page for r in user_records(whole)]


@given(st.lists(kinesis_data, max_size=20), sizes)
def test_no_kinesis_record_is_split_over_two_batches(data: list[bytes], size: int) -> None:
    page = [record(item, number) for number, item in enumerate(data)]
    where = [{r.sequence_number for r in batch} for batch in batches("s", "shard", page, size)]
    assert sum(len(numbers) for numbers in where) == len(set().union(*where))


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=9), max_size=20), sizes)
def test_a_batch_is_larger_than_its_size_only_for_one_kinesis_record(groups: list[list[int]], size: int) -> None:
    records = [[record(b"", group) for _ in items] for group, items in enumerate(groups)]
    for batch in cut(records, size):
        assert batch
        assert len(batch) <= size or len({r.sequence_number for r in batch}) == 1


def test_a_batch_answers_for_its_records() -> None:
    batch = RecordBatch("s", "shardId-000000000000", [record(b"a", 1), record(b"b", 2)])
    assert batch.payloads() == [b"a", b"b"]
    assert batch.last_sequence_number == "2"
    assert [r.data for r in batch] == batch.payloads()
    assert len(batch) == 2
