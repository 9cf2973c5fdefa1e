"""What every service's sink does when AWS takes a part, or nothing for now, or nothing ever."""

import asyncio
import json

import pytest

from dead_letters.errors import DeadLetterError, GivenUpError, RefusedError
from dead_letters.patience import Patience
from dead_letters.sink import CONCURRENCY, DeadLetters
from producer.errors import DeliveryError
from tests.builders import bad_event
from tests.contract.dead_letters.conftest import Place, opened
from tests.emulator import REGION, Emulator, free_port
from tests.integration.faust_kinesis.faulty_proxy import FaultyProxy, Forward, Reply, refuse
from windower.adapters.aws_clients import open_clients

pytestmark = pytest.mark.emulator


def take_the_first_alone(body: bytes, forward: Forward) -> Reply:
    """SendMessageBatch takes its first entry and fails the others."""
    request = json.loads(body)
    first, *others = request["Entries"]
    status, answer = forward(json.dumps(request | {"Entries": [first]}).encode())
    failed = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in others]
    return status, json.dumps(json.loads(answer) | {"Failed": failed}).encode()


async def test_entries_that_sqs_failed_are_sent_again_and_no_others(place: Place, service: str) -> None:
    events = [bad_event(number) for number in range(5)]
    with FaultyProxy(place.aws.url) as proxy:
        proxy.fail("SendMessageBatch", take_the_first_alone, times=2)
        async with opened(service, place, proxy.url) as put:
            await put(events)
        assert proxy.calls["SendMessageBatch"] == 3
    taken = [event.bad_event_id for event in place.taken()]
    assert sorted(taken) == sorted(event.bad_event_id for event in events)


@pytest.mark.parametrize("code", ["ThrottlingException", "RequestThrottled", "KmsThrottled", "OverLimit"])
async def test_a_throttled_call_is_made_again(place: Place, service: str, code: str) -> None:
    with FaultyProxy(place.aws.url) as proxy:
        proxy.fail("SendMessageBatch", refuse(code), times=3)
        async with opened(service, place, proxy.url) as put:
            await put([bad_event(1)])
        assert proxy.spent
    assert place.taken() == [bad_event(1)]


async def test_a_payload_is_stored_before_its_message_is_sent_whatever_s3_answers_at_first(
    place: Place, service: str
) -> None:
    event = bad_event(1, b"x" * 300_000)
    with FaultyProxy(place.aws.url) as proxy:
        proxy.fail("PUT", refuse("SlowDown", 503), times=3)
        async with opened(service, place, proxy.url) as put:
            await put([event])
        assert proxy.spent
    assert place.taken() == [event]


async def test_a_replay_ends_when_the_queue_is_missing(place: Place) -> None:
    missing = Place(place.aws, "no-such-queue", "")
    async with opened("producer", missing, place.aws.url) as put:
        with pytest.raises(DeliveryError, match="looking for the queue no-such-queue"):
            await put([bad_event(1)])


async def test_a_replay_ends_when_nothing_is_taken_for_too_long(place: Place) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    async with opened("producer", place, away, give_up_after_s=0.3) as put:
        with pytest.raises(DeliveryError, match="has not taken bad events for"):
            await put([bad_event(1)])


async def test_what_sqs_refuses_for_good_is_tried_once(place: Place) -> None:
    with FaultyProxy(place.aws.url) as proxy:
        proxy.fail("SendMessageBatch", refuse("AccessDenied", 403))
        async with opened("windower", place, proxy.url) as put:
            with pytest.raises(RefusedError, match="AccessDenied"):
                await put([bad_event(1)])
        assert proxy.calls["SendMessageBatch"] == 1


async def test_a_service_that_stops_gives_up_at_the_next_failure(place: Place) -> None:
    stopping = asyncio.Event()

    async def stop_while_waiting(_: float) -> None:
        stopping.set()

    with FaultyProxy(place.aws.url) as proxy:
        proxy.fail("SendMessageBatch", refuse("ThrottlingException"), times=1_000)
        async with open_clients(region=REGION, endpoint_url=proxy.url) as clients:
            patience = Patience(stopping=stopping.is_set, sleep=stop_while_waiting)
            letters = DeadLetters(
                sqs=clients.sqs, s3=clients.s3, queue=place.name, bucket=place.name, patience=patience
            )
            with pytest.raises(GivenUpError, match="the service stops"):
                await letters.put([bad_event(1)])
        assert issubclass(GivenUpError, DeadLetterError)


async def test_only_a_few_calls_are_in_flight_at_once(place: Place, aws: Emulator) -> None:
    with FaultyProxy(aws.url) as proxy:
        async with opened("windower", place, proxy.url) as put:
            await asyncio.gather(*(put([bad_event(10 * n + m) for m in range(10)]) for n in range(3 * CONCURRENCY)))
        assert 1 < proxy.most_at_once <= CONCURRENCY
    assert len(place.taken()) == 30 * CONCURRENCY
