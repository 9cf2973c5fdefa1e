"""What a replay promises, under every fault that Kinesis is known for, and over kills."""

import asyncio
from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.replay import Replay
from storepulse.activity.codec import decode
from storepulse.activity.events import Activity
from storepulse.instants import from_datetime, parse_instant
from tests.unit.producer.builders import csv_text, row
from tests.unit.producer.playing import WINDOW, exact, play, windowed
from tests.unit.producer.world import NOW, Fault, Memory, options

FAULTS: st.SearchStrategy[Fault | None] = st.sampled_from(
    [None, "lost_before", "lost_after", "unreachable", "refuse_some", "refuse_all"]
)
ROWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), min_size=1, max_size=60).map(
    lambda steps: [row(second, user=user, category=user % 4) for second, user in sorted(steps)]
)
PACES: st.SearchStrategy[dict[str, object]] = st.sampled_from(
    [{"speed": "max"}, {"speed": 50.0}, {"rate": 200.0}, {"pace": "PT0.01S"}, {"speed": 1.0}]
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, pace=PACES, faults=st.lists(FAULTS, max_size=25), anchor=st.sampled_from(["start", "end"]))
def test_whatever_kinesis_does_every_row_is_counted_once_in_its_window_and_every_window_closes(
    rows: list[bytes], pace: dict[str, object], faults: list[Fault | None], anchor: str
) -> None:
    memory = Memory(csv_text(rows), faults)
    chosen = options(clock="event", anchor=anchor, **pace)
    asyncio.run(play(memory, chosen))
    state = memory.states.states["r"]
    counts, late = windowed(memory, state.shift or 0)
    assert late == 0
    assert counts == exact(rows)
    assert state.done
    assert state.confirmed == len(rows)
    assert memory.stream.overlaps == 0


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, pace=PACES, faults=st.lists(FAULTS, max_size=25), kills=st.lists(st.integers(1, 60), max_size=4))
def test_a_replay_that_is_killed_and_resumed_at_any_moment_counts_as_one_that_was_not(
    rows: list[bytes], pace: dict[str, object], faults: list[Fault | None], kills: list[int]
) -> None:
    memory = Memory(csv_text(rows), faults)
    chosen = options(clock="event", **pace)

    async def live() -> None:
        for turns in kills:
            await play(memory, chosen, resume=True, turns=turns)
        await play(memory, chosen, resume=True)

    asyncio.run(live())
    counts, late = windowed(memory, memory.states.states["r"].shift or 0)
    assert (counts, late) == (exact(rows), 0)
    ids = Counter(each["event_id"] for each in memory.stream.rows())
    assert set(ids.values()) == {1}


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, pace=PACES, faults=st.lists(FAULTS, max_size=10), kills=st.lists(st.integers(1, 60), max_size=3))
def test_with_the_wall_clock_stamps_are_the_time_of_sending_and_no_row_is_lost_late_or_doubled(
    rows: list[bytes], pace: dict[str, object], faults: list[Fault | None], kills: list[int]
) -> None:
    memory = Memory(csv_text(rows), faults)

    async def live() -> None:
        for turns in kills:
            await play(memory, options(**pace), resume=True, turns=turns)
        await play(memory, options(**pace), resume=True)

    asyncio.run(live())
    counts, late = windowed(memory, 0)
    assert late == 0
    assert counts.total() == len(rows)
    stamps = [parse_instant(each["txn_timestamp"]) for each in memory.stream.rows()]
    assert from_datetime(NOW) <= min(stamps)
    assert max(stamps) <= from_datetime(memory.time.clock.now())


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, pace=PACES, faults=st.lists(FAULTS, max_size=15))
def test_no_heartbeat_overtakes_a_row(rows: list[bytes], pace: dict[str, object], faults: list[Fault | None]) -> None:
    memory = Memory(csv_text(rows), faults)
    asyncio.run(play(memory, options(clock="event", **pace)))
    for records in memory.stream.sent().values():
        beaten = ""
        for each in records:
            if each["event_type"] == "heartbeat":
                beaten = max(beaten, each["txn_timestamp"])
            assert each["txn_timestamp"] >= beaten or each["event_type"] == "heartbeat"


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, pace=PACES)
def test_the_same_input_and_options_give_the_same_bytes_in_the_same_order(
    rows: list[bytes], pace: dict[str, object]
) -> None:
    chosen = options(clock="event", base="2026-03-01T00:00:00Z", **pace)
    sent = []
    for faults in ([], [], ["lost_after", "refuse_all", "unreachable"]):
        memory = Memory(csv_text(rows), faults)  # type: ignore[arg-type] # a list of literals
        asyncio.run(play(memory, chosen))
        sent.append({shard: [each.payload for each in found] for shard, found in memory.stream.records.items()})
    without = [{shard: [p for p in each if b"heartbeat" not in p] for shard, each in found.items()} for found in sent]
    assert sent[0] == sent[1]
    assert without[0] == without[2]


@given(base=st.datetimes(timezones=st.just(NOW.tzinfo)).filter(lambda t: 1971 < t.year < 2027))
@settings(max_examples=30, deadline=None)
def test_anchored_at_its_end_nothing_of_a_replay_lies_after_its_base(base: datetime) -> None:
    memory = Memory(csv_text([row(0), row(7), row(33)]))
    asyncio.run(play(memory, options(clock="event", anchor="end", base=base, speed="max")))
    stamps = [parse_instant(each["txn_timestamp"]) for found in memory.stream.sent().values() for each in found]
    assert from_datetime(base) - WINDOW < max(stamps) <= from_datetime(base)


@given(rows=ROWS)
@settings(max_examples=20, deadline=None)
def test_every_record_sent_decodes_as_an_activity_with_the_files_values(rows: list[bytes]) -> None:
    memory = Memory(csv_text(rows))
    asyncio.run(play(memory, options(speed="max")))
    for found in memory.stream.records.values():
        for record in found:
            assert isinstance(decode(record.payload), Activity) or b"heartbeat" in record.payload
    assert Counter(each["user_id"] for each in memory.stream.rows()) == Counter(
        line.split(b",")[7].decode() for line in rows
    )


async def test_one_put_a_row_is_made_at_the_original_pace() -> None:
    memory = Memory(csv_text([row(0, user=n) for n in range(8)]))
    began = memory.time.clock.monotonic()
    progress = await play(memory, options(pace="PT0.25S"))
    assert progress.requests >= 8
    assert memory.time.clock.monotonic() - began >= 7 * 0.25


@pytest.mark.parametrize("shards", [1, 4])
async def test_a_stream_that_is_split_or_merged_on_the_way_gets_every_row_once_and_heartbeats_in_each_new_shard(
    shards: int,
) -> None:
    rows = [row(second, user=second % 9, category=second % 5) for second in range(200)]
    memory = Memory(csv_text(rows))
    task = asyncio.create_task(Replay("r", options(clock="event", speed=10.0), memory.world).run())
    await memory.time.pass_until(task, turns=300)
    assert not task.done()
    memory.stream.reshard(shards)
    await memory.time.pass_until(task)
    await task
    assert Counter(each["event_id"] for each in memory.stream.rows()).total() == len(rows)
    assert len({each["event_id"] for each in memory.stream.rows()}) == len(rows)
    for shard in await memory.stream.shards():
        stamps = [each["txn_timestamp"] for each in memory.stream.sent()[shard.shard_id]]
        assert sum(b"heartbeat" in each.payload for each in memory.stream.records[shard.shard_id]) > 5
        assert stamps == sorted(stamps)


async def test_a_replay_killed_before_its_stream_is_resharded_is_exact_when_resumed() -> None:
    rows = [row(second, user=second % 9, category=second % 5) for second in range(100)]
    memory = Memory(csv_text(rows))
    chosen = options(clock="event", speed=10.0)
    await play(memory, chosen, turns=200)
    assert 0 < len(memory.stream.rows()) < len(rows)
    memory.stream.reshard(3)
    await play(memory, chosen, resume=True)
    assert set(Counter(each["event_id"] for each in memory.stream.rows()).values()) == {1}
    assert len(memory.stream.rows()) == len(rows)
