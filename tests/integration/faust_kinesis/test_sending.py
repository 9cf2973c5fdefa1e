import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import faust
import pytest

from faust_kinesis.errors import RecordRefusedError, SendError, StoppedError
from faust_kinesis.producer import Producer
from tests.emulator import Emulator
from tests.integration.faust_kinesis.faulty_proxy import FaultyProxy, fail_every_other_record
from tests.integration.faust_kinesis.harness import Stream

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(60)]


@pytest.fixture
async def app(
    aws: Emulator, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[faust.App]:
    assert aws.url
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    made = faust.App("sender", broker="kinesis://us-east-1", datadir=str(tmp_path), topic_allow_declare=False)
    async with made.producer:
        yield made


@pytest.fixture
def producer(app: faust.App) -> Producer:
    assert isinstance(app.producer, Producer)
    return app.producer


def records(count: int, size: int = 10) -> tuple[list[str], list[bytes]]:
    """Return keys and data."""
    return [str(number) for number in range(count)], [str(number).zfill(size).encode() for number in range(count)]


def texts(data: list[bytes]) -> list[str]:
    return [each.decode() for each in data]


async def test_a_batch_is_in_the_stream_when_the_call_returns(producer: Producer, stream: Stream) -> None:
    keys, sent = records(2500)
    await producer.put_batch(stream.name, keys, sent)
    assert Counter(stream.contents()) == Counter(texts(sent))


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's advice, from 1 MB on
async def test_five_megabytes_leave_in_two_calls(producer: Producer, stream: Stream, proxy: FaultyProxy) -> None:
    await producer.put_batch(stream.name, *records(6, size=1_000_000))
    assert proxy.calls["PutRecords"] == 2


async def test_only_the_failed_half_is_sent_again(producer: Producer, stream: Stream, proxy: FaultyProxy) -> None:
    proxy.fail("PutRecords", fail_every_other_record, times=2)
    keys, sent = records(400)
    await producer.put_batch(stream.name, keys, sent)
    assert Counter(stream.contents()) == Counter(texts(sent))
    assert proxy.calls["PutRecords"] == 3


async def test_nothing_is_sent_of_a_batch_with_a_record_too_large(producer: Producer, stream: Stream) -> None:
    with pytest.raises(RecordRefusedError, match="at most 1048576 bytes"):
        await producer.put_batch(stream.name, ["1", "2", "k"], [b"1", b"2", b"x" * 2**20])
    assert stream.contents() == []


async def test_a_missing_stream_is_an_error_and_not_a_retry(producer: Producer) -> None:
    with pytest.raises(SendError, match="ResourceNotFoundException"):
        await producer.put_batch("no-such-stream", *records(1))


async def test_fausts_own_send_arrives_and_says_where(app: faust.App, producer: Producer, stream: Stream) -> None:
    topic = app.topic(stream.name, value_serializer="raw", key_serializer="raw")
    sent = [await topic.send(key=b"k", value=str(number).encode()) for number in range(1200)]
    await producer.flush()
    placed = await asyncio.gather(*sent)
    assert len({place.offset for place in placed}) == 1200
    assert Counter(stream.contents()) == Counter(str(number) for number in range(1200))


async def test_a_stopping_producer_gives_up_an_outage_with_an_error(
    producer: Producer,
    stream: Stream,
    proxy: FaultyProxy,
) -> None:
    proxy.stop()
    sending = asyncio.ensure_future(producer.put_batch(stream.name, *records(1)))
    done, _ = await asyncio.wait({sending}, timeout=1)
    assert not done
    await producer.stop()
    with pytest.raises(StoppedError):
        await asyncio.wait_for(sending, 10)
