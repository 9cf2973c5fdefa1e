"""Whatever a bad event holds, SQS takes its message, and nothing of the record is lost."""

from base64 import b64encode

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dead_letters.letters import MAX_BYTES, MAX_ENTRIES, calls, letter, refused
from storepulse.failures import BadEvent, FailureKind

PRINTABLE_ASCII = range(32, 127)
any_text = st.text(st.characters(), max_size=50)  # lone surrogates, controls and U+FFFE among it
well_formed = st.text(st.characters(codec="utf-8"), max_size=50)


def events(text: st.SearchStrategy[str], payload: st.SearchStrategy[bytes]) -> st.SearchStrategy[BadEvent]:
    return st.builds(
        BadEvent,
        bad_event_id=st.text("0123456789abcdef", min_size=32, max_size=32),
        service=text,
        kind=st.sampled_from(FailureKind),
        reason=text | text.map(lambda part: (part or "x") * 20_000),
        payload=payload.map(lambda data: b64encode(data).decode()),
        payload_url=st.none(),
        stream=text,
        shard_id=text,
        sequence_number=text,
        failed_at=text,
    )


small = st.binary(max_size=100)
any_size = st.builds(lambda part, times: part * times, st.binary(max_size=10), st.integers(0, 50_000))


@given(events(any_text, any_size))
def test_a_body_is_printable_ascii_that_a_message_can_hold(event: BadEvent) -> None:
    body = letter(event, "raw").body
    assert body.isascii()
    assert set(map(ord, body)) <= set(PRINTABLE_ASCII)
    assert len(body) <= MAX_BYTES


@given(events(any_text, any_size))
def test_every_body_is_a_bad_event_and_its_payload_is_in_it_or_at_its_url(event: BadEvent) -> None:
    sent = letter(event, "raw")
    read = msgspec.json.decode(sent.body, type=BadEvent)
    assert read.bad_event_id == event.bad_event_id
    if sent.moved is None:
        assert (read.raw(), read.payload_url) == (event.raw(), None)
    else:
        assert sent.moved.payload == event.raw()
        assert (read.payload, read.payload_url) == ("", f"s3://raw/{sent.moved.key}")


@given(events(well_formed, small))
def test_what_a_message_can_hold_reads_as_it_was_given(event: BadEvent) -> None:
    sent = letter(event, "raw")
    if sent.moved is None:
        assert msgspec.json.decode(sent.body, type=BadEvent) == event


@given(events(any_text, any_size))
def test_an_event_that_comes_again_is_stored_in_the_same_place(event: BadEvent) -> None:
    assert letter(event, "raw") == letter(event, "raw")


@given(st.lists(st.integers(0, MAX_BYTES).map("x".__mul__), max_size=40))
def test_calls_hold_every_message_once_in_order_and_within_what_sqs_takes(bodies: list[str]) -> None:
    made = list(calls(bodies))
    assert [body for call in made for body in call] == bodies
    assert all(0 < len(call) <= MAX_ENTRIES and sum(map(len, call)) <= MAX_BYTES for call in made)


@given(st.lists(st.integers(0, 400).map("x".__mul__), max_size=100))
def test_small_messages_fill_their_calls(bodies: list[str]) -> None:
    assert all(len(call) == MAX_ENTRIES for call in list(calls(bodies))[:-1])


@given(st.lists(any_text, max_size=MAX_ENTRIES), st.data())
def test_what_sqs_failed_comes_back_in_order_and_no_other(bodies: list[str], data: st.DataObject) -> None:
    failed = data.draw(st.sets(st.sampled_from(range(len(bodies)))) if bodies else st.just(set[int]()))
    left = refused(bodies, [{"Id": str(place), "Code": "InternalError"} for place in failed])
    assert left == [bodies[place] for place in sorted(failed)]
