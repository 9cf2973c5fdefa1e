"""Which replies are read by msgspec, and which are left to botocore."""

import json
from types import SimpleNamespace

import msgspec
import pytest

from kinesis_wire.client import FastParserFactory
from kinesis_wire.records import Answer, Page

PAGE = b'{"Records":[],"NextShardIterator":null,"MillisBehindLatest":0}'


async def parse(body: bytes, shape: str, status: int = 200) -> dict[str, object]:
    parser = FastParserFactory().create_parser("json")
    response = {"status_code": status, "headers": {}, "body": body, "context": {}}
    return dict(await parser.parse(response, SimpleNamespace(name=shape, serialization={}, metadata={})))


async def test_a_page_is_read_and_the_end_of_a_shard_has_no_next_iterator() -> None:
    assert (await parse(PAGE, "GetRecordsOutput"))["Page"] == Page(records=[], next_shard_iterator=None)


async def test_the_answer_of_a_put_is_read() -> None:
    answer = (await parse(b'{"Records":[{"ErrorCode":"InternalFailure"}]}', "PutRecordsOutput"))["Answer"]
    assert isinstance(answer, Answer)
    assert (answer.records[0].error_code, answer.failed_record_count) == ("InternalFailure", None)


async def test_a_reply_cut_short_is_an_error() -> None:
    with pytest.raises(msgspec.MsgspecError):
        await parse(PAGE[:-20], "GetRecordsOutput")


@pytest.mark.parametrize("shape", ["GetRecordsOutput", "PutRecordsOutput"])
async def test_an_error_reply_is_left_to_botocore(shape: str) -> None:
    reply = await parse(json.dumps({"__type": "ExpiredIteratorException", "message": "old"}).encode(), shape, 400)
    assert reply["Error"] == {"Message": "old", "Code": "ExpiredIteratorException"}
