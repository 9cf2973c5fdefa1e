import pytest
from hypothesis import given
from hypothesis import strategies as st

from faust_kinesis.errors import RecordRefusedError
from faust_kinesis.outgoing import MAX_CALL_BYTES, MAX_RECORD_BYTES, MAX_RECORDS, calls, chunks, outgoing

sizes = st.lists(st.integers(1, MAX_RECORD_BYTES), max_size=40)


@given(sizes)
def test_chunks_hold_every_record_once_and_in_order(items: list[int]) -> None:
    assert [item for chunk in chunks(items, int) for item in chunk] == items


@given(sizes)
def test_no_chunk_is_more_than_kinesis_takes_in_a_call(items: list[int]) -> None:
    for chunk in chunks(items, int):
        assert 0 < len(chunk) <= MAX_RECORDS
        assert sum(chunk) <= MAX_CALL_BYTES


def test_a_call_is_full_at_500_records() -> None:
    assert [len(chunk) for chunk in chunks([1] * 1201, int)] == [500, 500, 201]


def test_partition_keys_count_towards_a_records_size() -> None:
    assert outgoing("käse", b"1234").size == 9
    assert outgoing("k", b"x" * (MAX_RECORD_BYTES - 1)).size == MAX_RECORD_BYTES


@pytest.mark.parametrize(
    ("key", "data", "says"),
    [
        ("k", b"x" * MAX_RECORD_BYTES, "at most 1048576 bytes, not 1048577"),
        ("", b"", "1 to 256 characters, not 0"),
        ("k" * 257, b"", "1 to 256 characters, not 257"),
    ],
)
def test_what_kinesis_can_never_take_is_refused_with_the_reason(key: str, data: bytes, says: str) -> None:
    with pytest.raises(RecordRefusedError, match=says):
        outgoing(key, data)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.binary(max_size=20)), max_size=1200))
def test_calls_hold_each_record_with_its_own_key_in_order(records: list[tuple[str, bytes]]) -> None:
    keys, data = [key for key, _ in records], [each for _, each in records]
    assert [(entry.partition_key, entry.data) for call in calls(keys, data) for entry in call] == records


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="1 partition keys and 2 records"):
        list(calls(["k"], [b"1", b"2"]))
