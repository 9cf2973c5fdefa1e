"""What every adapter of the windower's ports keeps: all of it, whole, in whatever number it comes."""

from collections import Counter

import pytest

from storepulse.activity.counts import WindowCount
from storepulse.failures import BadEvent, BadPayload, FailureKind
from tests.builders import START, window_count
from tests.contract.windower.conftest import BadEvents, Counts

pytestmark = pytest.mark.emulator


def bad_event(number: int, payload: bytes = b"\xff\x00 not an event") -> BadEvent:
    return BadEvent.of(
        BadPayload(FailureKind.MALFORMED, "not UTF-8"),
        payload,
        service="windower",
        stream="stream-1",
        shard_id="shardId-000000000000",
        sequence_number=str(10**55 + number),
        failed_at="2026-01-01T00:00:00.000Z",
    )


async def test_nothing_put_is_nothing_taken(counts: Counts, bad_events: BadEvents) -> None:
    await counts.sink.put([])
    await bad_events.sink.put([])
    assert counts.taken() == []
    assert bad_events.taken() == []


async def test_more_counts_than_one_call_takes_all_arrive_as_they_are(counts: Counts) -> None:
    given = [window_count(user_id=f"käufer-{n}", num_actions=n + 1) for n in range(1201)]
    await counts.sink.put(given)
    assert set(counts.taken()) == set(given)


async def test_one_users_counts_keep_their_order(counts: Counts) -> None:
    given = [window_count(start=START + n * 10_000) for n in range(40)]
    await counts.sink.put(given)
    assert counts.taken() == given


async def test_counts_put_again_are_the_same_counts_again(counts: Counts) -> None:
    early: WindowCount = window_count(kind="early")
    await counts.sink.put([early])
    await counts.sink.put([early])
    assert Counter(counts.taken()) == {early: 2}


@pytest.mark.parametrize("n", [1, 10, 11, 57])
async def test_every_bad_event_arrives_with_its_bytes(bad_events: BadEvents, n: int) -> None:
    given = [bad_event(number) for number in range(n)]
    await bad_events.sink.put(given)
    assert {event.bad_event_id: event for event in bad_events.taken()} == {event.bad_event_id: event for event in given}


async def test_bad_events_too_large_for_one_call_together_all_arrive(bad_events: BadEvents) -> None:
    given = [bad_event(number, bytes([number]) * 90_000) for number in range(7)]
    await bad_events.sink.put(given)
    assert {event.bad_event_id: event.raw() for event in bad_events.taken()} == {
        event.bad_event_id: event.raw() for event in given
    }
