"""One record that is stamped a day ahead, at the windower as a process over two shards: it stops no shard."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from storepulse.failures import BadEvent, FailureKind
from storepulse.instants import format_instant
from tests.emulator import Emulator, wait_until
from tests.integration.windower.test_windower import SHARD_KEYS, Stage
from tests.streams import drain_bad_events, exact_counts

pytestmark = pytest.mark.emulator
DAY = 86_400_000
ACTIONS = 37


class Shop:
    """Users `a` and `b` act now, each in a shard of their own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.start = (time.time_ns() // 10**6 - 60_000) // 10_000 * 10_000
        self.sent: list[bytes] = []

    def act(self, user: str, at: int, **fields: object) -> bytes:
        stamp = format_instant(self.start + at)
        data = msgspec.json.encode({"user_id": user, "event_type": "view", "txn_timestamp": stamp} | fields)
        self._put("ab".index(user), data)
        return data

    def act_often(self, first: int, last: int) -> None:
        for n in range(first, last):
            self.sent += [self.act("a", n * 800), self.act("b", n * 800)]

    def close(self) -> None:
        for shard in range(2):
            stamp = format_instant(self.start + 60_000)
            self._put(shard, msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": stamp}))

    def _put(self, shard: int, data: bytes) -> None:
        self.stage.kinesis.put_record(
            StreamName=self.stage.source, Data=data, PartitionKey="any", ExplicitHashKey=SHARD_KEYS[shard]
        )

    def until_taken(self, records: int) -> None:
        metric = self.stage.windower.metric
        wait_until(lambda: metric("windower_records_total") >= records, 30, f"{records} records taken", 0.2)

    def until_counted(self, user: str) -> None:
        expected = {key: {n} for key, n in exact_counts(self.sent).items() if key[0] == user}
        wait_until(lambda: self.finals(user) == expected, 60, f"{user} counted\n{self.stage.windower.tail()}", 0.3)

    def finals(self, user: str) -> dict[tuple[str, str], set[int]]:
        return {key: values for key, values in self.stage.finals().items() if key[0] == user}

    def bad_events(self) -> dict[str, BadEvent]:
        events = drain_bad_events(self.stage.emulator.client("sqs"), self.stage.queue_url)
        return {event.bad_event_id: event for event in events}


@pytest.fixture
def shop(emulator: Emulator, tmp_path: Path) -> Iterator[Shop]:
    stage = Stage(emulator, tmp_path)
    for name in ("WINDOWER_MAX_AHEAD", "WINDOWER_MAX_REPLAY_AHEAD"):
        del stage.windower._environment[name]
    yield Shop(stage)
    stage.windower.stop()


def tell(shop: Shop, *, restarted: bool, **claim: int) -> bytes:
    """Send a record a day ahead in user a's shard, then what both users do; return that record."""
    windower = shop.stage.windower
    far = shop.act("a", DAY, **claim)
    shop.until_taken(1)
    shop.act_often(0, ACTIONS // 2)
    if restarted:
        shop.until_taken(ACTIONS // 2)
        windower.kill()
        windower.start().until_ready()
    shop.act_often(ACTIONS // 2, ACTIONS)
    shop.close()
    return far


RESTARTED = pytest.mark.parametrize("restarted", [False, True], ids=["", "restarted"])


@RESTARTED
def test_a_record_a_day_ahead_is_a_bad_event_and_every_action_of_both_shards_is_counted(
    shop: Shop, *, restarted: bool
) -> None:
    with shop.stage.windower as windower:
        far = tell(shop, restarted=restarted)
        shop.until_counted("a")
        shop.until_counted("b")
        assert windower.metric("windower_paused_shards") == 0
        assert windower.get("/health/ready")[0] == 200
    assert [(event.raw(), event.kind) for event in shop.bad_events().values()] == [(far, FailureKind.INVALID)]


@RESTARTED
def test_a_record_that_calls_itself_a_replays_stops_no_shard_and_its_neighbours_are_counted_or_late(
    shop: Shop, *, restarted: bool
) -> None:
    with shop.stage.windower as windower:
        tell(shop, restarted=restarted, replay_shift_ms=DAY)
        shop.until_counted("b")
        wait_until(lambda: windower.metric("windower_paused_shards") == 0, 10, "nothing paused", 0.2)
        late: dict[str, BadEvent] = {}

        def all_of_a() -> bool:
            late.update(shop.bad_events())
            return sum(n for values in shop.finals("a").values() for n in values) + len(late) == ACTIONS

        wait_until(all_of_a, 60, f"every action of a counted or late\n{windower.tail()}", 0.3)
    assert {event.kind for event in late.values()} <= {FailureKind.LATE}
