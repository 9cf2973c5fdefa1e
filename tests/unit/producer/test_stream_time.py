"""A replay knows what its stream is stamped with, whoever stamped it: it starts after that, or is refused."""

import asyncio
import dataclasses
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.adapters.memory import MemoryStamps, MemoryStream
from producer.errors import NotNowError, StateError
from producer.options import ReplayOptions
from producer.ports import Entry
from producer.replay import Replay
from producer.stamps import STALE_MS, Stamps
from storepulse.activity.codec import encode
from storepulse.activity.events import Heartbeat
from storepulse.instants import format_instant, from_datetime, parse_instant
from tests.unit.producer.builders import csv_text, row
from tests.unit.producer.playing import play, windowed
from tests.unit.producer.world import NOW, URL, Memory, options

HOUR = [row(second, user=second % 7) for second in range(0, 3600, 30)]
EVENT = options(clock="event", speed="max")
WALL = options(clock="wall", speed="max")


class AwayStamps(MemoryStamps):
    """A bucket that does not answer."""

    async def load(self) -> tuple[Stamps, str]:
        msg = "no answer"
        raise StateError(msg)


def without_store(memory: Memory) -> Memory:
    memory.world = dataclasses.replace(memory.world, stamps=AwayStamps())
    return memory


def stamps(memory: Memory) -> list[int]:
    return sorted(parse_instant(each["txn_timestamp"]) for each in memory.stream.rows())


@pytest.mark.parametrize("stored", [True, False])
async def test_an_event_replay_starts_after_one_from_elsewhere_and_no_row_is_late(*, stored: bool) -> None:
    memory = Memory(csv_text(HOUR))
    if not stored:
        without_store(memory)
    for name in ("cli-1", "cli-2", "http-1"):
        progress = await play(memory, EVENT, replay_id=name)
        assert (progress.late, progress.late_from_start) == (0, 0)
    assert windowed(memory, 0)[1] == 0
    assert len(stamps(memory)) == 3 * len(HOUR)


@pytest.mark.parametrize("stored", [True, False])
async def test_a_wall_replay_is_refused_while_the_stream_is_ahead_and_plays_from_the_moment_it_was_told(
    *, stored: bool
) -> None:
    memory = Memory(csv_text(HOUR))
    if not stored:
        without_store(memory)
    await play(memory, EVENT, replay_id="first")
    with pytest.raises(NotNowError, match="can run from") as refused:
        await play(memory, WALL, replay_id="second")
    assert len(stamps(memory)) == len(HOUR)
    told = str(refused.value).partition("can run from ")[2].partition(" on")[0]
    memory.time.clock.advance(timedelta(milliseconds=parse_instant(told) - from_datetime(memory.time.clock.now())))
    progress = await play(memory, WALL, replay_id="third")
    assert (progress.sent, progress.late, windowed(memory, 0)[1]) == (len(HOUR), 0, 0)


async def test_half_a_second_earlier_its_rows_would_have_been_late() -> None:
    memory = Memory(csv_text(HOUR[:1]))
    await play(memory, EVENT, replay_id="first")
    with pytest.raises(NotNowError) as refused:
        await play(memory, WALL, replay_id="second")
    told = parse_instant(str(refused.value).partition("can run from ")[2].partition(" on")[0])
    memory.time.clock.advance(timedelta(milliseconds=told - 500 - from_datetime(memory.time.clock.now())))
    progress = await play(memory, options(clock="wall", speed="max", allow_late=True), replay_id="third")
    assert (progress.late_from_start, windowed(memory, 0)[1]) == (1, 1)


async def test_a_given_base_is_taken_as_it_is_and_its_late_rows_are_told() -> None:
    memory = Memory(csv_text(HOUR))
    base = {"base": NOW}
    await play(memory, options(clock="event", speed="max", **base), replay_id="first")
    once = stamps(memory)
    progress = await play(memory, options(clock="event", speed="max", **base), replay_id="second")
    assert stamps(memory) == sorted(once * 2)
    assert any("will be late" in note for note in progress.notes)
    assert progress.late == progress.late_from_start == windowed(memory, 0)[1] > 100


async def test_the_same_base_into_a_fresh_stream_gives_the_same_bytes() -> None:
    first, again = Memory(csv_text(HOUR)), Memory(csv_text(HOUR))
    for memory in (first, again):
        await play(memory, options(clock="event", speed="max", base=NOW))
    assert first.stream.rows() == again.stream.rows()


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60))
def test_the_late_rows_of_an_unordered_file_are_told_as_the_windows_count_them(seconds: list[int]) -> None:
    async def compare() -> None:
        memory = Memory(csv_text([row(second) for second in seconds]), shards=1)
        progress = await play(memory, EVENT)
        assert (progress.late, progress.late_from_start) == (windowed(memory, 0)[1], 0)

    asyncio.run(compare())


@pytest.mark.parametrize(("clock", "other"), [("event", "event"), ("event", "wall"), ("wall", "event")])
async def test_a_replay_is_refused_beside_another_when_one_of_them_goes_by_the_event_clock(
    clock: str, other: str
) -> None:
    memory = Memory(csv_text([row(0), row(600)]))
    first = asyncio.create_task(Replay("first", options(clock=clock, speed=1), memory.world).run())
    await memory.time.pass_until(first, turns=100)
    assert not first.done()
    with pytest.raises(NotNowError, match="replay first plays"):
        await Replay("second", options(clock=other, speed=1), memory.world).check()
    await memory.time.pass_until(first)
    assert first.done()
    await Replay("second", options(clock="event", speed=1), memory.world).check()


async def test_two_replays_by_the_wall_clock_may_play_at_once() -> None:
    memory = Memory(csv_text([row(0), row(60)]))
    first = asyncio.create_task(Replay("first", options(speed=1), memory.world).run())
    await memory.time.pass_until(first, turns=100)
    progress = await play(memory, options(speed="max"), replay_id="second")
    await memory.time.pass_until(first)
    assert (progress.sent, windowed(memory, 0)[1]) == (2, 0)


async def test_what_a_killed_replay_stamped_after_its_last_word_is_found_however_long_ago() -> None:
    memory = Memory(csv_text(HOUR))
    await play(memory, options(clock="event", rate=100), replay_id="killed", turns=60)
    sent = stamps(memory)
    told = memory.stamps.stamps.active["killed"].reached
    assert sent
    assert told < sent[-1]
    with pytest.raises(NotNowError, match="killed plays"):
        await play(memory, EVENT, replay_id="second")
    memory.time.clock.advance(timedelta(milliseconds=STALE_MS) + timedelta(hours=5))
    progress = await play(memory, options(clock="event", speed="max", anchor="end"), replay_id="second")
    assert progress.late == windowed(memory, 0)[1] == 0
    assert memory.stamps.stamps.active == {}


async def test_a_killed_replay_is_resumed_at_once_with_no_late_row() -> None:
    memory = Memory(csv_text(HOUR))
    await play(memory, options(clock="event", rate=100), turns=60)
    progress = await play(memory, options(clock="event", speed="max"), resume=True)
    assert (progress.phase, windowed(memory, 0)[1]) == ("finished", 0)
    assert len(stamps(memory)) == len(HOUR)


async def test_a_replay_killed_before_it_saved_anything_is_resumed_at_once() -> None:
    memory = Memory(csv_text(HOUR))
    claimed = Stamps().playing("r", EVENT, from_datetime(NOW), from_datetime(NOW))
    memory.stamps.stamps = claimed
    with pytest.raises(NotNowError, match="replay r plays"):
        await play(memory, EVENT)
    assert (await play(memory, EVENT, resume=True)).sent == len(HOUR)


async def test_a_resumed_replay_that_others_have_overtaken_is_refused_unless_its_rows_may_be_late() -> None:
    memory = Memory(csv_text(HOUR))
    await play(memory, options(clock="event", rate=100), turns=60)
    memory.time.clock.advance(timedelta(hours=5))
    await play(memory, EVENT, replay_id="second")
    with pytest.raises(NotNowError, match="would be late"):
        await play(memory, EVENT, resume=True)
    progress = await play(memory, options(clock="event", speed="max", allow_late=True), resume=True)
    assert progress.late_from_start > 0


def heartbeat(stamp: int, shift: int | None = None) -> list[Entry]:
    return [Entry(encode(Heartbeat(txn_timestamp=format_instant(stamp), replay_shift_ms=shift)), "k")]


async def test_others_than_producers_are_seen_in_the_tail_but_not_what_the_windower_sets_aside() -> None:
    memory = Memory(csv_text([row(0)]))
    ahead = from_datetime(NOW) + 240_000
    others = [
        *heartbeat(ahead),
        *heartbeat(ahead + 86_400_000),
        Entry(b'{"event_type":"heartbeat","txn_timestamp":5}', "k"),
    ]
    await MemoryStream.put(memory.stream, others)
    await play(memory, EVENT)
    assert ahead <= stamps(memory)[0] < ahead + 20_000


async def test_a_replay_that_would_start_too_far_ahead_is_refused() -> None:
    memory = Memory(csv_text([row(0)]))
    with pytest.raises(NotNowError, match="366 days"):
        await play(memory, options(clock="event", speed="max", base=datetime(2028, 1, 1, tzinfo=NOW.tzinfo)))
    assert not memory.stream.rows()


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("given_options", [{"clock": "event"}, {"clock": "event", "anchor": "end"}, {"clock": "wall"}])
async def test_a_row_from_the_year_9998_is_a_bad_event_and_holds_up_nothing(
    place: int, given_options: dict[str, object]
) -> None:
    rows = [row(0), row(30)]
    rows.insert(place, b"9998" + row(5)[4:])
    memory = Memory(csv_text(rows))
    chosen: ReplayOptions = options(speed=1, **given_options)
    progress = await play(memory, chosen)
    assert (progress.sent, progress.bad, progress.late) == (2, 1, 0)
    assert memory.time.clock.now() - NOW < timedelta(minutes=5)
    assert max(parse_instant(each["txn_timestamp"]) for found in memory.stream.sent().values() for each in found) < (
        from_datetime(NOW + timedelta(minutes=5))
    )
    assert memory.bad_events.added[0].stream == URL
