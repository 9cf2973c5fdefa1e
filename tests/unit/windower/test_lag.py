"""How far behind the windower says it is: by what it has counted, and of the shards that it reads now."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bench.in_process import SETTINGS, InProcessWindower, on_uvloop
from bench.memory_aws import MemoryKinesis, MemoryTransport, to_pages
from kinesis_wire.records import Entry
from tests.builders import START, heartbeat, payload

BEHIND = "windower_millis_behind_latest"


class StuckKinesis(MemoryKinesis):
    """Takes nothing until it is let go."""

    def __init__(self, shards: Sequence[Sequence[Any]]) -> None:
        super().__init__(shards)
        self.lets_go = asyncio.Event()

    async def put_records(self, *, Records: Sequence[Entry], **options: object) -> dict[str, Any]:  # noqa: N803 - AWS's
        await self.lets_go.wait()
        return await super().put_records(Records=Records, **options)


class Stuck:
    """The real windower over a stream of one shard, whose counts nobody takes."""

    def __init__(self) -> None:
        pages = to_pages([*(payload(user_id=f"u{n}") for n in range(20)), heartbeat(START + 60_000)] * 2, 21)
        self.kinesis = StuckKinesis([pages])
        self.windower = InProcessWindower(SETTINGS, lambda app: MemoryTransport(app, self.kinesis))

    def says(self, name: str) -> float:
        return self.windower.sample(name)

    def steal(self) -> None:
        """Let another worker take the lease."""
        leases: Mapping[str, Any] = self.windower.app.transport._made["dynamodb"]._items
        for lease in leases.values():
            if "owner" in lease:
                lease["owner"] = {"S": "another/1"}


def test_what_is_read_and_not_counted_is_behind_however_near_the_tip_the_reader_is() -> None:
    async def life() -> None:
        stuck = Stuck()
        async with stuck.windower.running():
            await stuck.windower.until(lambda: stuck.says(BEHIND) > 60_000)
            assert stuck.windower.app.consumer.millis_behind() < 60_000
            stuck.kinesis.lets_go.set()
            await stuck.windower.until(lambda: stuck.says(BEHIND) == 0)

    on_uvloop(life)


def test_a_shard_that_another_worker_took_is_behind_no_more() -> None:
    async def life() -> None:
        stuck = Stuck()
        async with stuck.windower.running():
            await stuck.windower.until(lambda: stuck.says(BEHIND) > 60_000)
            stuck.steal()
            await stuck.windower.until(lambda: stuck.says(BEHIND) == 0)
            assert stuck.windower.worker.figures() is None
            stuck.kinesis.lets_go.set()

    on_uvloop(life)
