"""What is sent and read is what botocore would have sent and read."""

import json
from base64 import b64decode, b64encode
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from kinesis_wire.records import Entry, decode_answer, decode_page, encode_request

MODEL = ServiceModel(botocore.session.get_session().get_service_data("kinesis"), "kinesis")
PUT, GET = MODEL.operation_model("PutRecords"), MODEL.operation_model("GetRecords")
text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
data = st.binary(max_size=60)
numbers = st.integers(0, 10**56).map(str)
arrivals = st.integers(0, 4 * 10**12).map(lambda ms: ms / 1000)
failures = st.fixed_dictionaries({"ErrorCode": text, "ErrorMessage": text})
successes = st.fixed_dictionaries({"SequenceNumber": numbers, "ShardId": text})


def parsed(operation: Any, body: bytes) -> dict[str, Any]:  # noqa: ANN401 - botocore's model
    """Return a reply as botocore reads it."""
    reply = {"status_code": 200, "headers": {}, "body": body, "context": {}}
    return dict(create_parser("json").parse(reply, operation.output_shape))


@given(st.lists(st.builds(Entry, data=data, partition_key=text, explicit_hash_key=st.none() | numbers), max_size=9))
def test_a_request_says_what_botocores_says(entries: list[Entry]) -> None:
    records = [
        {"Data": entry.data, "PartitionKey": entry.partition_key}
        | ({"ExplicitHashKey": entry.explicit_hash_key} if entry.explicit_hash_key is not None else {})
        for entry in entries
    ]
    body = create_serializer("json", include_validation=False).serialize_to_request(
        {"StreamName": "s", "Records": records}, PUT
    )["body"]
    assert json.loads(encode_request({"StreamName": "s"}, entries)) == json.loads(body)


@given(st.lists(successes | failures | successes.map(lambda each: each | {"ErrorCode": None}), max_size=9))
def test_an_answer_reads_as_botocore_reads_it(results: list[dict[str, str]]) -> None:
    body = json.dumps({"FailedRecordCount": len(results), "Records": results, "EncryptionType": "KMS"}).encode()
    theirs, ours = parsed(PUT, body), decode_answer(body)
    assert ours.failed_record_count == theirs["FailedRecordCount"]
    assert [(each.shard_id, each.sequence_number, each.error_code, each.error_message) for each in ours.records] == [
        tuple(each.get(name) for name in ("ShardId", "SequenceNumber", "ErrorCode", "ErrorMessage"))
        for each in theirs["Records"]
    ]


@given(
    st.lists(
        st.fixed_dictionaries(
            {"Data": data.map(lambda raw: b64encode(raw).decode()), "PartitionKey": text, "SequenceNumber": numbers},
            optional={"ApproximateArrivalTimestamp": arrivals, "EncryptionType": st.just("NONE")},
        ),
        max_size=9,
    ),
    st.none() | text,
    st.integers(0, 10**9),
)
def test_a_page_reads_as_botocore_reads_it(records: list[dict[str, Any]], iterator: str | None, behind: int) -> None:
    body = json.dumps({"Records": records, "NextShardIterator": iterator, "MillisBehindLatest": behind}).encode()
    theirs, ours = parsed(GET, body), decode_page(body)
    assert (ours.next_shard_iterator, ours.millis_behind_latest) == (theirs.get("NextShardIterator"), behind)
    assert [(each.data, each.partition_key, each.sequence_number, each.arrived_ms) for each in ours.records] == [
        (each["Data"], each["PartitionKey"], each["SequenceNumber"], _ms(each.get("ApproximateArrivalTimestamp")))
        for each in theirs["Records"]
    ]
    assert [each.data for each in ours.records] == [b64decode(each["Data"]) for each in records]


@pytest.mark.parametrize("decode", [decode_answer, decode_page])
def test_a_reply_cut_short_is_an_error_and_not_a_shorter_one(decode: Any) -> None:  # noqa: ANN401 - a decoder
    body = json.dumps({"Records": [{"Data": "", "PartitionKey": "k", "SequenceNumber": "1"}]}).encode()
    for length in range(len(body)):
        with pytest.raises(msgspec.MsgspecError):
            decode(body[:length])


def _ms(moment: Any) -> int | None:  # noqa: ANN401 - a datetime of botocore's
    return None if moment is None else round(moment.timestamp() * 1000)
