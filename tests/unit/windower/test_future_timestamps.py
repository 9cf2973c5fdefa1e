import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.clock import ManualClock
from storepulse.failures import FailureKind
from storepulse.instants import format_instant, parse_instant
from tests.builders import heartbeat as heartbeat_of
from tests.builders import payload
from tests.unit.windower.test_handlers import DELAY, LIMIT, SIZE, START, action, finals, heartbeat
from windower.adapters.memory import MemoryBadEvents, MemoryCounts
from windower.handlers import Batch, Windowing, WindowUserActions
from windower.metrics import WindowerMetrics
from windower.progress import Progress

HOUR = 3_600_000
SOUND = [action(f"u{n % 3}", n * 400) for n in range(200)]  # over 80 s
END = heartbeat(200_000)
YEAR_9999 = action("u1", parse_instant("9999-12-31T23:59:59.999Z") - START)


def counted(
    payloads: Sequence[bytes], arrivals: Sequence[int | None], size: int, *, max_replay_ahead: int = 366 * 24 * HOUR
) -> tuple[MemoryCounts, MemoryBadEvents]:
    counts, bad = MemoryCounts(), MemoryBadEvents()
    handler: WindowUserActions[int] = WindowUserActions(
        {"shard-0": Progress()},
        windowing=Windowing(size=SIZE, delay=DELAY, limit=LIMIT, max_ahead=HOUR, max_replay_ahead=max_replay_ahead),
        counts=counts,
        bad_events=bad,
        metrics=WindowerMetrics(),
        clock=ManualClock(),
    )
    numbers = [str(10**55 + n) for n in range(len(payloads))]
    for first in range(0, len(payloads), size):
        part = slice(first, first + size)
        batch = Batch(
            stream="stream-1",
            shard_id="shard-0",
            payloads=payloads[part],
            sequence_numbers=numbers[part],
            arrivals=arrivals[part],
            token=first,
        )
        asyncio.run(handler.take(batch, active={"shard-0"}))
    return counts, bad


@given(
    places=st.lists(st.integers(0, len(SOUND)), max_size=5),
    far=st.sampled_from([action("u0", HOUR + 80_001), heartbeat(10**9), YEAR_9999]),
    size=st.integers(1, 50),
)
def test_records_from_the_far_future_change_no_count_and_each_is_one_bad_event(
    places: list[int], far: bytes, size: int
) -> None:
    payloads = list(SOUND)
    for place in sorted(places, reverse=True):
        payloads.insert(place, far)
    payloads.append(END)
    arrivals = [START + n * 80_000 // len(payloads) for n in range(len(payloads))]
    counts, bad = counted(payloads, arrivals, size)
    expected, _ = counted([*SOUND, END], [None] * (len(SOUND) + 1), len(SOUND) + 1)
    assert finals(counts.taken) == finals(expected.taken)
    assert [event.raw() for event in bad.taken] == [far] * len(places)
    assert all(
        event.kind is FailureKind.INVALID and "after the record's arrival" in event.reason for event in bad.taken
    )


def test_a_record_exactly_as_far_ahead_as_allowed_is_counted_and_one_millisecond_more_is_not() -> None:
    payloads = [action("u", HOUR), action("u", HOUR + 1), heartbeat(HOUR + 100_000)]
    counts, bad = counted(payloads, [START, START, None], 1)
    assert sum(count.num_actions for count in counts.taken) == 1
    assert [event.raw() for event in bad.taken] == [payloads[1]]


def test_without_arrival_times_nothing_is_refused() -> None:
    counts, bad = counted([action("u", 10 * HOUR), heartbeat(20 * HOUR)], [None, None], 2)
    assert sum(count.num_actions for count in counts.taken) == 1
    assert bad.taken == []


@given(
    records=st.lists(
        st.tuples(
            st.integers(-HOUR, 4 * HOUR),  # event time
            st.none() | st.integers(-HOUR, 3 * HOUR) | st.just(2**53),  # replay_shift_ms
            st.none() | st.integers(0, HOUR),  # arrival
        ),
        min_size=1,
        max_size=20,
    ),
    size=st.integers(1, 20),
)
def test_a_record_is_bad_when_it_is_ahead_by_more_than_its_replay_says_or_than_any_replay_may(
    records: list[tuple[int, int | None, int | None]], size: int
) -> None:
    payloads = [
        payload(
            user_id=f"u{n}", txn_timestamp=format_instant(START + at), replay_shift_ms=... if shift is None else shift
        )
        for n, (at, shift, _) in enumerate(records)
    ]
    arrivals = [None if arrived is None else START + arrived for _, _, arrived in records]
    _, bad = counted(payloads, arrivals, size, max_replay_ahead=2 * HOUR)
    assert {event.raw() for event in bad.taken if event.kind is FailureKind.INVALID} == {
        payloads[n]
        for n, (at, shift, arrived) in enumerate(records)
        if arrived is not None and (at - max(shift or 0, 0) > arrived + HOUR or at > arrived + 2 * HOUR)
    }


def test_a_heartbeat_of_a_replay_may_be_ahead_by_its_shift() -> None:
    day = 24 * HOUR
    payloads = [heartbeat_of(START + day), heartbeat_of(START + day, replay_shift_ms=day)]
    _, bad = counted(payloads, [START, START], 2)
    assert [event.raw() for event in bad.taken] == payloads[:1]


@pytest.mark.parametrize("shift", [b"1.5", b'"60000"', b"true", b"9007199254740993", b"-9007199254740993", b"[]"])
@pytest.mark.parametrize("record", [payload(), heartbeat_of()])
def test_a_shift_of_the_wrong_type_or_size_makes_a_bad_record(record: bytes, shift: bytes) -> None:
    data = record[:-1] + b',"replay_shift_ms":' + shift + b"}"
    _, bad = counted([data, payload()], [None, None], 2)
    assert [(event.raw(), event.kind) for event in bad.taken] == [(data, FailureKind.INVALID)]
    assert "$.replay_shift_ms" in bad.taken[0].reason
