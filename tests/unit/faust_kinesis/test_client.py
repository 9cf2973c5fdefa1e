import json
from base64 import b64encode
from types import SimpleNamespace

import msgspec
import pytest
from aiobotocore.session import get_session

from faust_kinesis.client import FastParserFactory
from faust_kinesis.records import Page

PAGE = {
    "Records": [
        {
            "SequenceNumber": "49",
            "ApproximateArrivalTimestamp": 1700000000.123,
            "Data": b64encode(b"one").decode(),
            "PartitionKey": "k",
            "EncryptionType": "NONE",
        },
        {"SequenceNumber": "50", "ApproximateArrivalTimestamp": 1700000001, "Data": "", "PartitionKey": "ü"},
    ],
    "NextShardIterator": "next",
    "MillisBehindLatest": 42,
}


async def parse(body: bytes, status: int = 200) -> dict[str, object]:
    shape = get_session().get_component("data_loader").load_service_model("kinesis", "service-2")
    assert shape["metadata"]["protocol"] == "json"
    parser = FastParserFactory().create_parser("json")
    response = {"status_code": status, "headers": {}, "body": body, "context": {}}
    return dict(await parser.parse(response, SimpleNamespace(name="GetRecordsOutput", serialization={}, metadata={})))


async def test_a_page_is_read_with_all_its_fields() -> None:
    page = (await parse(json.dumps(PAGE).encode()))["Page"]
    assert isinstance(page, Page)
    assert [(r.data, r.sequence_number, r.partition_key, r.arrived_ms) for r in page.records] == [
        (b"one", "49", "k", 1700000000123),
        (b"", "50", "ü", 1700000001000),
    ]
    assert (page.next_shard_iterator, page.millis_behind_latest) == ("next", 42)


async def test_the_end_of_a_shard_has_no_next_iterator() -> None:
    page = (await parse(b'{"Records":[],"NextShardIterator":null,"MillisBehindLatest":0}'))["Page"]
    assert isinstance(page, Page)
    assert page.next_shard_iterator is None


async def test_a_reply_cut_short_is_an_error_and_not_a_shorter_page() -> None:
    with pytest.raises(msgspec.MsgspecError):
        await parse(json.dumps(PAGE).encode()[:-20])


async def test_an_error_reply_is_left_to_botocore() -> None:
    reply = await parse(b'{"__type":"ExpiredIteratorException","message":"old"}', 400)
    assert reply["Error"] == {"Message": "old", "Code": "ExpiredIteratorException"}
