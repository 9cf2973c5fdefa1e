"""Plays a replay in memory until it ends, or is killed, and counts what is in the stream then."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from producer.options import ReplayOptions
from producer.progress import Progress
from producer.replay import Replay
from storepulse.instants import parse_instant
from storepulse.streaming.aggregation import TumblingCount
from tests.unit.producer.builders import FIRST
from tests.unit.producer.world import Memory

WINDOW = DELAY = 10_000


async def play(
    memory: Memory, chosen: ReplayOptions, *, resume: bool = False, turns: int = 1_000_000, replay_id: str = "r"
) -> Progress:
    """Play to the end, or kill it after so many wake-ups."""
    replay = Replay(replay_id, chosen, memory.world, resume=resume)
    task = asyncio.create_task(replay.run())
    await memory.time.pass_until(task, turns)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    elif error := task.exception():
        raise error
    return replay.progress


def exact(rows: Iterable[bytes]) -> Counter[tuple[str, int]]:
    counts: Counter[tuple[str, int]] = Counter()
    for line in rows:
        second = (int(line[14:16]) * 60 + int(line[17:19])) * 1000
        counts[line.split(b",")[7].decode(), second // WINDOW] += 1
    return counts


def windowed(memory: Memory, shift: int) -> tuple[Counter[tuple[str, int]], int]:
    """Count the stream as the windower does, shard by shard in any order; return the counts and the late ones."""
    sent = memory.stream.sent()
    engine = TumblingCount(list(sent), size=WINDOW, delay=DELAY)
    late = 0
    for shard, records in sent.items():
        users = [each.get("user_id") for each in records]
        times = [parse_instant(each["txn_timestamp"]) for each in records]
        late += len(engine.add(shard, users, times, active=list(sent)).late)
    fired = engine.fire(list(sent))
    counts = Counter(
        {(user, (each.window.start - shift - FIRST) // WINDOW): n for each in fired for user, n in each.counts.items()}
    )
    return counts, late
