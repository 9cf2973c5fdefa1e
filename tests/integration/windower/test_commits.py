"""One watermark over all shards: what a commit says of one shard holds for all, so it must not be half done.

The real windower over Kinesis and DynamoDB in memory, with more shards than a DynamoDB transaction takes. The
windower dies at one write, each in turn; the next one goes on from what is stored.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import pytest

from bench.in_process import SETTINGS, InProcessWindower, on_uvloop
from bench.memory_aws import MemoryDynamo, MemoryKinesis, MemoryTransport, to_page
from storepulse.activity.counts import WindowCount, decode_count
from storepulse.failures import BadEvent
from storepulse.instants import format_instant, parse_instant
from tests.streams import exact_counts, final_values

SHARDS = 130
START = parse_instant("2026-01-01T00:00:00.000Z")
ROUNDS = (0, 5_000, 31_000, 62_000)  # when each shard has an action, after START


def action(shard: int, at: int) -> bytes:
    time = format_instant(START + at + shard)
    return msgspec.json.encode({"user_id": f"u{shard % 40}", "event_type": "view", "txn_timestamp": time})


def heartbeat(at: int) -> bytes:
    return msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": format_instant(START + at)})


class Crash:
    """Ends a life with its `number`th write of checkpoints, which is not done, and nothing after it is either."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.over = False

    @property
    def happened(self) -> bool:
        """The write has come."""
        return self._left <= 0

    def __call__(self, request: Mapping[str, Any]) -> None:
        updates = [item["Update"] for item in request.get("TransactItems", ())]
        moved = any(":n_offset" in update["ExpressionAttributeValues"] for update in updates)
        self._left -= moved or "checkpoints" in request.get("Item", {})
        if self.happened and not self.over:
            raise CrashedError


class CrashedError(Exception):
    """In place of a kill -9."""


async def live(kinesis: MemoryKinesis, dynamo: MemoryDynamo, is_done: Callable[[], bool]) -> list[BadEvent]:
    """Run a windower until `is_done()`, or it dies; return its bad events."""
    windower = InProcessWindower(
        SETTINGS, partial(MemoryTransport, kinesis=kinesis, dynamo=dynamo, options={"lease": 2})
    )
    with suppress(CrashedError):
        async with windower.running():
            await windower.until(is_done)
    return windower.bad_events.taken


def counts(kinesis: MemoryKinesis) -> list[WindowCount]:
    return [count for count in map(decode_count, kinesis.taken) if isinstance(count, WindowCount)]


@pytest.mark.parametrize("number", range(1, 4))
def test_a_crash_between_any_two_writes_of_a_commit_makes_nothing_late_that_was_counted(number: int) -> None:
    records = [[action(shard, at) for at in ROUNDS] for shard in range(SHARDS)]
    last = [heartbeat(200_000)]  # comes with the second life: what it fires was open when the first one ended
    pages = [[to_page([data], place, at_tip=False) for place, data in enumerate(shard)] for shard in records]
    kinesis, crash = MemoryKinesis(pages), Crash(number)
    dynamo = MemoryDynamo(crash)
    expected = {key: {n} for key, n in exact_counts(data for shard in records for data in shard).items()}
    open_at_last = sum(key[1] >= format_instant(START + ROUNDS[-1] // 10_000 * 10_000) for key in expected)
    fired = len(expected) - open_at_last
    bad = on_uvloop(live, kinesis, dynamo, lambda: len(final_values(counts(kinesis))) >= fired)
    crash.over = True
    for shard in pages:
        shard.append(to_page(last, len(shard), at_tip=True))
    bad += on_uvloop(live, kinesis, dynamo, lambda: len(final_values(counts(kinesis))) >= len(expected))
    assert bad == []
    assert final_values(counts(kinesis)) == expected
