from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from local.firehose.buffer import MEBIBYTE, Buffer, Limits, Record

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def record(data: bytes = b"{}", *, shard: str = "0", number: int = 1, arrived: datetime = EPOCH) -> Record:
    return Record(shard_id=shard, sequence_number=str(number), arrived=arrived, data=data)


def test_an_object_is_due_after_60_seconds_or_5_mebibytes_unless_told_otherwise() -> None:
    assert Limits() == Limits(size=5 * MEBIBYTE, age=timedelta(seconds=60))


def test_an_empty_buffer_is_never_due() -> None:
    assert not Buffer(limits=Limits()).is_due(now=1e9)


def test_a_small_object_is_due_60_seconds_after_its_first_record_and_not_before() -> None:
    buffer = Buffer(limits=Limits())
    buffer.add(record(), now=100.0)
    buffer.add(record(), now=159.0)
    assert [buffer.is_due(now=now) for now in (100.0, 159.9, 160.0)] == [False, False, True]


def test_a_young_object_is_due_when_it_holds_5_mebibytes_and_not_before() -> None:
    buffer = Buffer(limits=Limits())
    buffer.add(record(b"x" * (5 * MEBIBYTE - 3)), now=0.0)
    early = buffer.is_due(now=0.0)
    buffer.add(record(b""), now=0.0)
    assert (early, buffer.size, buffer.is_due(now=0.0)) == (False, 5 * MEBIBYTE - 1, False)
    buffer.add(record(b""), now=0.0)
    assert buffer.is_due(now=0.0)


@given(st.lists(st.binary(max_size=50)))
def test_a_body_is_every_record_with_a_newline_after_it(payloads: list[bytes]) -> None:
    buffer = Buffer(limits=Limits())
    for payload in payloads:
        buffer.add(record(payload), now=0.0)
    assert buffer.body() == b"".join(payload + b"\n" for payload in payloads)
    assert buffer.size == len(buffer.body())


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 10**56))))
def test_the_position_of_a_shard_is_the_last_record_added_of_it(added: list[tuple[str, int]]) -> None:
    buffer = Buffer(limits=Limits())
    for shard, number in added:
        buffer.add(record(shard=shard, number=number), now=0.0)
    assert buffer.read_up_to() == {shard: str(number) for shard, number in added}


def test_an_object_is_named_after_its_oldest_record_whichever_shard_is_read_first() -> None:
    buffer = Buffer(limits=Limits())
    for seconds in (5, 2, 9):
        buffer.add(record(arrived=EPOCH + timedelta(seconds=seconds)), now=0.0)
    assert buffer.oldest == EPOCH + timedelta(seconds=2)
