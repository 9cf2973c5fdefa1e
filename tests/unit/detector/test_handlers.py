"""What becomes of a batch of records."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.adapters.memory import MemoryCounts
from detector.figures import BatchFigures, Spread
from detector.workers import Patience
from servicekit.errors import PoisonRecordError, RetryableError
from storepulse.activity.counts import WindowCount
from storepulse.failures import FailureKind
from storepulse.instants import from_datetime
from tests.unit.detector.builders import PLACE, Detector, Outage, count, record, records


def test_a_count_is_stored_and_a_count_at_the_limit_raises_nothing() -> None:
    detector = Detector()
    outcome = detector(*records(count("anna", 10), count("ben", 1)))
    assert [*detector.counts.counts.values()] == [count("anna", 10), count("ben", 1)]
    assert (outcome.finals, outcome.alerts, detector.publisher.published) == (2, [], [])


def test_an_early_count_never_replaces_a_final_one_in_whatever_batch_it_comes() -> None:
    final, early = count(actions=30), count(actions=11, kind="early")
    for batches in ([[final, early]], [[final], [early]], [[early, final]], [[early], [final]]):
        detector = Detector()
        for batch in batches:
            detector(*records(*batch))
        assert [*detector.counts.counts.values()] == [final]


def test_of_several_final_counts_of_a_window_the_last_one_stays() -> None:
    detector = Detector()
    detector(*records(count(actions=3), count(actions=4)))
    assert [*detector.counts.counts.values()] == [count(actions=4)]


def test_a_bad_record_is_set_aside_whole_with_its_reason_and_place() -> None:
    detector = Detector()
    outcome = detector(*records(count(), b"\xff{"))
    [bad] = detector.bad_events.bad
    assert (bad.service, bad.stream, bad.shard_id, bad.sequence_number) == ("detector", "counts", PLACE.shard_id, "2")
    assert (bad.raw(), bad.kind) == (b"\xff{", FailureKind.MALFORMED)
    assert "UTF-8" in bad.reason
    assert outcome.bad == [bad]


def test_records_that_the_kpl_packed_into_one_have_different_bad_events() -> None:
    detector = Detector()
    detector(record(b"a", 7, 0), record(b"b", 7, 1))
    first, second = detector.bad_events.bad
    assert (first.sequence_number, second.sequence_number) == ("7", "7/1")
    assert first.bad_event_id != second.bad_event_id


@given(payloads=st.lists(st.binary(max_size=40) | st.text(max_size=10).map(str.encode), max_size=8))
def test_no_bytes_raise_anything_and_each_record_ends_as_a_count_or_a_bad_event(payloads: list[bytes]) -> None:
    outcome = Detector()(*records(*payloads))
    assert outcome.finals + outcome.earlies + len(outcome.bad) == len(payloads)


def test_a_count_that_the_store_refuses_for_good_is_set_aside_and_the_others_are_stored() -> None:
    class Picky(MemoryCounts):
        def put_finals(self, counts: Sequence[WindowCount]) -> None:
            if any(each.user_id == "bad" for each in counts):
                msg = "no such key"
                raise PoisonRecordError(msg)
            super().put_finals(counts)

    detector, picky = Detector(), Picky()
    outcome = detector.use_case(picky)(records(count("anna"), count("bad"), count("ben")), PLACE)
    assert sorted(user for user, _ in picky.counts) == ["anna", "ben"]
    assert [(bad.kind, bad.reason) for bad in outcome.bad] == [(FailureKind.UNDELIVERABLE, "no such key")]
    assert outcome.bad == detector.bad_events.bad


COUNTS = st.builds(
    count,
    user=st.sampled_from(["anna", "ben", "cleo"]),
    actions=st.integers(1, 14),
    window=st.integers(0, 5),
    kind=st.sampled_from(["early", "final"]),
)


@given(batch=st.lists(COUNTS, max_size=12), least=st.integers(1, 15))
def test_what_is_counted_is_stored_or_left_out_and_alerts_are_the_same(batch: list[WindowCount], least: int) -> None:
    whole, spare = Detector(), Detector(store_from=least)
    whole(*records(*batch))
    outcome = spare(*records(*batch))
    finals = [each for each in whole.counts.counts.values() if each.kind == "final"]
    left_out = [each.num_actions for each in finals if each.num_actions < least]
    assert (outcome.windows_left_out, outcome.actions_left_out) == (len(left_out), sum(left_out))
    assert [*spare.counts.counts.values()] == [
        each for each in whole.counts.counts.values() if each.num_actions >= least
    ]
    assert (spare.alerts.statuses, spare.published_ids()) == (whole.alerts.statuses, whole.published_ids())
    [told], [told_of_all] = spare.metrics.figures, whole.metrics.figures
    assert told == replace(told_of_all, actions_left_out=sum(left_out))


def test_figures_of_a_batch_count_each_window_once() -> None:
    detector = Detector()
    detector(*records(count("anna", 4), count("anna", 4), count("ben", 30), count("cleo", 11, kind="early")))
    assert detector.metrics.figures == [BatchFigures(actions=Spread(2, 4, 30, 34), alerts=2)]


def test_the_latency_of_a_published_alert_is_counted_from_the_arrival_of_the_count_that_raised_it() -> None:
    detector = Detector()
    now = from_datetime(detector.clock.now())
    batch = [record(count("anna", 30), 1, arrived=now), record(count("ben", 30, window=1), 2, arrived=now + 200)]
    detector.clock.advance(timedelta(milliseconds=900))
    assert detector(*batch).alert_seconds == [0.9, 0.7]
    assert detector(*batch).alert_seconds == [], "both were told before"
    assert detector(record(count("anna", 30, window=1), 3, arrived=now)).alert_seconds == [], "inside the cooldown"
    assert detector.metrics.figures[0].alert_seconds == Spread(2, 0.7, 0.9, 1.6)


def test_an_arrival_that_is_unknown_or_ahead_of_our_clock_gives_no_wrong_latency() -> None:
    detector = Detector()
    ahead = from_datetime(detector.clock.now()) + 50
    assert detector(record(count("anna", 30)), record(count("ben", 30), arrived=ahead)).alert_seconds == [0]


def test_a_batch_is_not_done_while_aws_is_out_of_reach() -> None:
    detector = Detector(fail=Outage([True] * 100), patience=Patience(pause=lambda _: None, give_up=lambda: True))
    with pytest.raises(RetryableError):
        detector(*records(count()))


def test_early_alerts_are_raised_before_others_and_before_bulk_writes() -> None:
    calls: list[str] = []
    detector = Detector(fail=calls.append)
    batch = [count(f"user{n}", 3) for n in range(10)] + [count("late", 40), count("bot", 11, kind="early")]
    detector(*records(*batch))
    assert [alert.user_id for alert in detector.publisher.published] == ["bot", "late"]
    assert calls.index("write") > max(place for place, call in enumerate(calls) if call == "message")
