"""What every service's sink of bad events keeps: all of them, whole, in whatever number and of whatever size."""

import re

import msgspec
import pytest

from dead_letters.letters import MAX_BYTES
from storepulse.failures import BadEvent
from tests.builders import bad_event
from tests.contract.dead_letters.conftest import Place, Sink, opened

SQS_TAKES = re.compile(r"[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"""The characters of a message, as SQS's reference has them; the emulator takes any."""

HARD_TO_SEND = {
    "U+FFFE and U+FFFF": "\ufffe\uffff",
    "controls": "".join(map(chr, [*range(32), *range(127, 160)])),
    "half a surrogate pair": "\ud83d",
    "emoji": "\U0001f600 é",
    "more than a message": "\ufffe" * MAX_BYTES,
}
hard_to_send = pytest.mark.parametrize("reason", HARD_TO_SEND.values(), ids=HARD_TO_SEND)


async def test_nothing_put_is_nothing_taken(sink: Sink) -> None:
    await sink.put([])
    assert sink.taken() == []


@pytest.mark.parametrize("n", [1, 10, 11, 157])
async def test_every_bad_event_arrives_as_it_was(sink: Sink, n: int) -> None:
    given = [bad_event(number, bytes(range(256))[:number]) for number in range(n)]
    await sink.put(given)
    assert _by_id(sink.taken()) == _by_id(given)


@pytest.mark.parametrize("size", [90_000, 300_000])
async def test_bad_events_of_many_bytes_all_arrive(sink: Sink, size: int) -> None:
    given = [bad_event(number, bytes([number]) * size) for number in range(5)]
    await sink.put(given)
    assert _by_id(sink.taken()) == _by_id(given)


@hard_to_send
async def test_a_reason_of_any_characters_stops_no_event(sink: Sink, reason: str) -> None:
    await sink.put([bad_event(1, reason=reason), bad_event(2)])
    assert {event.bad_event_id: event.raw() for event in sink.taken()} == {
        event.bad_event_id: event.raw() for event in (bad_event(1), bad_event(2))
    }


@pytest.mark.emulator
@hard_to_send
async def test_a_message_has_only_characters_that_sqs_takes(place: Place, service: str, reason: str) -> None:
    event = msgspec.structs.replace(bad_event(1, reason=reason), stream=f"s3://raw/{reason[:20]}.csv")
    async with opened(service, place, place.aws.url) as put:
        await put([event])
    (body,) = place.bodies()
    assert SQS_TAKES.fullmatch(body)
    assert len(body.encode()) <= MAX_BYTES


@pytest.mark.emulator
async def test_a_payload_too_large_for_a_message_is_in_the_bucket_and_the_message_says_where(
    place: Place, service: str
) -> None:
    event = bad_event(1, bytes(range(256)) * 4096)
    async with opened(service, place, place.aws.url) as put:
        await put([bad_event(0, b"x"), event])
    key = f"bad-events/{event.bad_event_id}"
    sent = [msgspec.json.decode(body, type=BadEvent) for body in place.bodies()]
    assert _by_id(sent) == _by_id([bad_event(0, b"x"), event.moved_to(f"s3://{place.name}/{key}")])
    assert place.stored(key) == event.raw()


def _by_id(events: list[BadEvent]) -> dict[str, BadEvent]:
    return {event.bad_event_id: event for event in events}
