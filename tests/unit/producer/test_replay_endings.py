"""How single replays go and end: bad rows, bots, states, stops."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator

import msgspec
import pytest

from producer.adapters.memory import MemorySources, MemoryStates
from producer.errors import ReplayError, SourceError, StateError
from producer.options import ReplayOptions
from producer.ports import SourceFile
from producer.replay import Replay
from producer.state import ReplayState
from storepulse.instants import parse_instant
from storepulse.replay.bots import Bot, Burst, Plan, Straddle
from tests.unit.producer.builders import csv_text, row
from tests.unit.producer.playing import exact, play, windowed
from tests.unit.producer.world import URL, Fault, Memory, options


async def test_a_second_replay_starts_after_all_that_the_first_has_stamped() -> None:
    memory = Memory(csv_text([row(0), row(3600)]))
    chosen = options(clock="event", speed="max")
    await play(memory, chosen)
    highest = memory.states.states["r"].last_stamp
    before = len(memory.stream.rows())
    memory.states.states["earlier"] = memory.states.states["r"]
    await play(memory, chosen)
    stamps = sorted(parse_instant(each["txn_timestamp"]) for each in memory.stream.rows())
    assert stamps[before] >= highest


async def test_bad_rows_become_bad_events_with_file_and_line_and_the_replay_goes_on() -> None:
    lines = [row(0), b"a,b", row(1, price="free"), b"\xff", row(2), b"tomorrow" + row(3)[23:]]
    memory = Memory(csv_text(lines))
    progress = await play(memory, options(clock="event", speed="max"))
    assert (progress.rows, progress.sent, progress.bad) == (6, 2, 4)
    assert {(bad.stream, bad.sequence_number, bad.raw()) for bad in memory.bad_events.added} == {
        (URL, "3", lines[1]),
        (URL, "4", lines[2]),
        (URL, "5", lines[3]),
        (URL, "7", lines[5]),
    }
    state = memory.states.states["r"]
    assert (state.confirmed, state.bad, state.done) == (6, 4, True)


async def test_a_file_of_bad_rows_alone_ends_and_accounts_for_each() -> None:
    memory = Memory(csv_text([b"no row"] * 300))
    progress = await play(memory, options(clock="event", anchor="end", speed="max"))
    assert (progress.sent, len(memory.bad_events.added)) == (0, 300)
    assert memory.states.states["r"].done


class FlakyStates(MemoryStates):
    """States in a bucket that takes every second one."""

    saves = 0

    async def save(self, state: ReplayState) -> None:
        self.saves += 1
        if self.saves % 2 == 0 and not state.done:
            msg = "the state cannot be kept: no answer"
            raise StateError(msg)
        await super().save(state)


async def test_a_state_that_could_not_be_saved_once_costs_no_bad_row_in_the_next() -> None:
    memory = Memory(csv_text([line for n in range(20) for line in (row(n), b"no row")]))
    states = FlakyStates()
    replay = Replay("r", options(clock="event", speed=1), dataclasses.replace(memory.world, states=states))
    task = asyncio.create_task(replay.run())
    await memory.time.pass_until(task)
    await task
    assert (states.states["r"].confirmed, states.states["r"].bad) == (40, 20)


async def test_planted_bots_are_merged_in_time_order_and_their_labels_are_written() -> None:
    bots: list[Bot] = [Burst(user_id="bot-a", at=3, actions=20), Straddle(user_id="bot-s", after=1)]
    plan = msgspec.json.encode(Plan(bots=bots))
    memory = Memory(csv_text([row(0), row(4), row(30)]))
    memory.sources.files |= {"s3://raw/bots.json": plan}
    chosen = options(clock="event", speed="max", inject="s3://raw/bots.json", labels="s3://raw/labels/r.json")
    progress = await play(memory, chosen)
    assert (progress.planted, progress.sent) == (40, 43)
    counts, late = windowed(memory, memory.states.states["r"].shift or 0)
    assert late == 0
    assert (counts["bot-a", 0], counts["bot-s", 0], counts["bot-s", 1]) == (20, 10, 10)
    labels = msgspec.json.decode(memory.sources.files["s3://raw/labels/r.json"])
    assert [(bot["user_id"], bot["should_alert"]) for bot in labels["bots"]] == [("bot-a", True), ("bot-s", False)]
    assert [window["num_actions"] for window in labels["bots"][0]["windows"]] == [20]


@pytest.mark.parametrize("clock", ["event", "wall"])
async def test_every_record_of_the_event_clock_says_how_far_it_was_shifted_and_none_of_the_wall_clock(
    clock: str,
) -> None:
    memory = Memory(csv_text([row(0), row(30)]))
    memory.sources.files["s3://raw/b.json"] = b'{"bots":[{"kind":"burst","user_id":"bot-a","at":3,"actions":20}]}'
    await play(memory, options(clock=clock, speed="max", inject="s3://raw/b.json"))
    sent = [each for records in memory.stream.sent().values() for each in records]
    assert {each["event_type"] for each in sent} == {"view", "heartbeat"}
    shift = memory.states.states["r"].shift
    assert {each.get("replay_shift_ms") for each in sent} == {shift}
    assert (shift is None) == (clock == "wall")


async def test_a_real_user_called_like_a_planted_one_ends_the_replay_with_a_clear_message() -> None:
    memory = Memory(csv_text([row(0).replace(b",1,s-1", b",bot-a,s-1")]))
    memory.sources.files["s3://raw/b.json"] = b'{"bots":[{"kind":"burst","user_id":"bot-a","at":3,"actions":20}]}'
    with pytest.raises(ReplayError, match="bot-a is a real one too"):
        await play(memory, options(speed="max", inject="s3://raw/b.json"))


async def test_a_state_of_other_options_or_another_file_is_refused() -> None:
    memory = Memory(csv_text([row(0)]))
    await play(memory, options(speed="max"))
    with pytest.raises(StateError, match="other files or options"):
        await play(memory, options(speed="max", key="user_id"), resume=True)
    memory.sources.files[URL] = csv_text([row(0), row(1)])
    with pytest.raises(StateError, match="other files or options"):
        await play(memory, options(speed="max"), resume=True)


async def test_a_finished_replay_resumed_sends_nothing() -> None:
    memory = Memory(csv_text([row(0)]))
    await play(memory, options(speed="max"))
    before = memory.stream.sent()
    await play(memory, options(speed="max"), resume=True)
    assert memory.stream.sent() == before


async def test_kinesis_away_for_too_long_ends_the_replay_resumable() -> None:
    memory = Memory(csv_text([row(0)]), faults=["unreachable"] * 100_000)
    with pytest.raises(ReplayError, match="taken nothing"):
        await play(memory, options(speed="max"))
    memory.stream.faults = iter([])
    progress = await play(memory, options(speed="max"), resume=True)
    assert progress.sent == 1


async def test_a_stopped_replay_saves_its_state_and_leaves_the_last_windows_open() -> None:
    memory = Memory(csv_text([row(0), row(1000)]))
    replay = Replay("r", options(clock="event", speed=1.0), memory.world)
    task = asyncio.create_task(replay.run())
    await memory.time.pass_until(task, turns=20)
    replay.stop()
    await memory.time.pass_until(task)
    await task
    assert replay.progress.phase == "stopped"
    assert (memory.states.states["r"].confirmed, memory.states.states["r"].done) == (1, False)
    await play(memory, options(clock="event", speed=1.0), resume=True)
    assert windowed(memory, memory.states.states["r"].shift or 0) == (exact([row(0), row(1000)]), 0)


class StuckSources(MemorySources):
    """S3 that sends the beginning of a file, and then nothing."""

    async def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        async for piece in super().read(file):
            yield piece
            await asyncio.Event().wait()


@pytest.mark.parametrize("hurried", [False, True])
async def test_a_replay_stopped_while_kinesis_is_away_ends_soon_and_is_exact_when_resumed(*, hurried: bool) -> None:
    rows = [row(n) for n in range(30)]
    away: list[Fault | None] = ["unreachable"] * 10_000
    memory = Memory(csv_text(rows), faults=[None, None, *away])
    replay = Replay("r", options(clock="event", speed=1), memory.world)
    task = asyncio.create_task(replay.run())
    await memory.time.pass_until(task, turns=100)
    stopped_at = memory.time.clock.monotonic()
    (replay.break_off if hurried else replay.stop)()
    await memory.time.pass_until(task)
    await task
    assert replay.progress.phase == "stopped"
    assert memory.time.clock.monotonic() - stopped_at <= (0 if hurried else 20)
    memory.stream.faults = iter(())
    assert (await play(memory, options(clock="event", speed=1), resume=True)).phase == "finished"
    assert len(memory.stream.rows()) == len({each["event_id"] for each in memory.stream.rows()}) == len(rows)


async def test_a_replay_stopped_while_its_file_cannot_be_read_ends_soon() -> None:
    memory = Memory(csv_text([row(n) for n in range(2000)]))
    world = dataclasses.replace(memory.world, sources=StuckSources(memory.sources.files, piece=4096))
    replay = Replay("r", options(clock="event", speed="max"), world)
    task = asyncio.create_task(replay.run())
    await memory.time.pass_until(task, turns=50)
    replay.stop()
    await memory.time.pass_until(task)
    await task
    assert replay.progress.phase == "stopped"


async def test_without_draining_the_last_window_stays_open() -> None:
    memory = Memory(csv_text([row(0), row(25)]))
    await play(memory, options(clock="event", speed="max", drain=False))
    counts, _ = windowed(memory, memory.states.states["r"].shift or 0)
    assert counts["1", 2] == 0


async def test_a_file_among_the_sources_twice_is_refused_as_its_events_would_have_the_same_ids() -> None:
    memory = Memory(csv_text([row(0)]))
    with pytest.raises(SourceError, match="twice"):
        await play(memory, options(sources=[URL, URL], speed="max"))
    assert not memory.stream.rows()


async def test_a_missing_file_says_so() -> None:
    memory = Memory(b"")
    with pytest.raises(SourceError, match="no such file"):
        await play(memory, ReplayOptions(sources=["s3://raw/other.csv"]))
