"""What the adapter over SQS does beyond the port: calls within SQS's limits, failed entries sent again, S3."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.failures import BadEvent
from tests.contract.windower.conftest import sqs_bad_events
from tests.contract.windower.test_sinks import bad_event
from tests.emulator import Emulator
from tests.integration.faust_kinesis.faulty_proxy import FaultyProxy, Forward, Reply, refuse
from windower.adapters.sqs_bad_events import MAX_BYTES, MAX_ENTRIES, _chunks


@given(st.lists(st.integers(0, MAX_BYTES).map(bytes), max_size=40))
def test_calls_hold_every_message_once_in_order_and_within_what_sqs_takes(bodies: list[bytes]) -> None:
    calls = list(_chunks(bodies))
    assert [body for call in calls for body in call] == bodies
    assert all(0 < len(call) <= MAX_ENTRIES and sum(map(len, call)) <= MAX_BYTES for call in calls)


@given(st.lists(st.integers(0, 400).map(bytes), max_size=100))
def test_small_messages_fill_their_calls(bodies: list[bytes]) -> None:
    assert all(len(call) == MAX_ENTRIES for call in list(_chunks(bodies))[:-1])


def take_the_first_alone(body: bytes, forward: Forward) -> Reply:
    """SendMessageBatch takes its first entry and fails the others."""
    request = json.loads(body)
    first, *others = request["Entries"]
    status, answer = forward(json.dumps(request | {"Entries": [first]}).encode())
    failed = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in others]
    return status, json.dumps(json.loads(answer) | {"Failed": failed}).encode()


@pytest.mark.emulator
async def test_entries_that_sqs_failed_are_sent_again_and_no_others(aws: Emulator) -> None:
    with FaultyProxy(aws.url) as proxy:
        proxy.fail("SendMessageBatch", take_the_first_alone, times=2)
        async with sqs_bad_events(aws, proxy.url) as bad_events:
            events = [bad_event(number) for number in range(5)]
            await bad_events.sink.put(events)
            assert {event.bad_event_id for event in bad_events.taken()} == {event.bad_event_id for event in events}
        assert proxy.calls["SendMessageBatch"] == 3


@pytest.mark.emulator
async def test_a_throttled_call_is_made_again(aws: Emulator) -> None:
    with FaultyProxy(aws.url) as proxy:
        proxy.fail("SendMessageBatch", refuse("ThrottlingException"), times=3)
        async with sqs_bad_events(aws, proxy.url) as bad_events:
            await bad_events.sink.put([bad_event(1)])
            assert bad_events.taken() == [bad_event(1)]


@pytest.mark.emulator
async def test_bytes_that_no_message_holds_are_in_s3_where_the_message_says(aws: Emulator) -> None:
    huge: BadEvent = bad_event(1, b"x" * 900_000)
    async with sqs_bad_events(aws, aws.url) as bad_events:
        await bad_events.sink.put([bad_event(0), huge])
        events = {event.sequence_number: event for event in bad_events.taken()}
    moved = events[huge.sequence_number]
    bucket, _, key = (moved.payload_url or "").removeprefix("s3://").partition("/")
    assert (moved.payload, key) == ("", f"bad-events/{huge.bad_event_id}")
    assert aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == huge.raw()
    assert events[bad_event(0).sequence_number] == bad_event(0)
