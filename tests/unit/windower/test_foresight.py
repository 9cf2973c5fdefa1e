import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from servicekit.clock import ManualClock
from storepulse.failures import FailureKind
from storepulse.instants import parse_instant
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
    payloads: Sequence[bytes], arrivals: Sequence[int | None], size: int
) -> tuple[MemoryCounts, MemoryBadEvents]:
    counts, bad = MemoryCounts(), MemoryBadEvents()
    handler: WindowUserActions[int] = WindowUserActions(
        {"shard-0": Progress()},
        windowing=Windowing(size=SIZE, delay=DELAY, limit=LIMIT, max_ahead=HOUR),
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
