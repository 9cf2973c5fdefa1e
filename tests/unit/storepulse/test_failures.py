"""Bad events: one a record, whole."""

from hypothesis import given
from hypothesis import strategies as st

from storepulse.failures import BadEvent, BadPayload, FailureKind
from tests.unit.storepulse.strategies import text

names = text(20)
places = st.tuples(names, names, st.just("") | names, names)
failures = st.builds(BadPayload, kind=st.sampled_from(FailureKind), reason=names)


def bad_event(bad: BadPayload, data: bytes, place: tuple[str, str, str, str], failed_at: str = "now") -> BadEvent:
    service, stream, shard_id, sequence_number = place
    return BadEvent.of(
        bad,
        data,
        service=service,
        stream=stream,
        shard_id=shard_id,
        sequence_number=sequence_number,
        failed_at=failed_at,
    )


@given(failures, st.binary(), places)
def test_the_record_comes_out_as_it_went_in(bad: BadPayload, data: bytes, place: tuple[str, str, str, str]) -> None:
    event = bad_event(bad, data, place)
    assert event.raw() == data
    assert (event.kind, event.reason) == (bad.kind, bad.reason)


@given(failures, failures, places)
def test_a_record_set_aside_again_is_the_same_bad_event(
    once: BadPayload, again: BadPayload, place: tuple[str, str, str, str]
) -> None:
    assert bad_event(once, b"", place).bad_event_id == bad_event(again, b"", place, "later").bad_event_id


@given(failures, places, places)
def test_two_places_are_two_bad_events(
    bad: BadPayload, one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    ids = {bad_event(bad, b"", one).bad_event_id, bad_event(bad, b"", other).bad_event_id}
    assert (len(ids) == 1) == (one == other)
