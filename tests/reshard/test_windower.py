"""Two real windowers that share the shards (`WINDOWER_EXCLUSIVE=false`) while the stream is resharded.

What the windower acknowledges late, when its windows are out, is what these are for: whoever acknowledges at once never
has to wait for a child that waits for its parents.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from storepulse.instants import format_instant, parse_instant
from tests.emulator import Emulator, wait_until
from tests.integration.faust_kinesis.harness import leases
from tests.processes import ServiceProcess
from tests.reshard.kinesalite_server import Kinesalite, ReshardedStream
from tests.streams import drain_bad_events, exact_counts, final_values, put, read_counts

pytestmark = [pytest.mark.reshard, pytest.mark.emulator, pytest.mark.timeout(240)]
START = parse_instant("2026-01-01T00:00:00.000Z")
USERS, RATE = 30, 40  # actions a second of event time


class Pair:
    """A stream of two shards keyed by user, and two windowers of one application."""

    def __init__(self, emulator: Emulator, kinesalite: Kinesalite, folder: Path) -> None:
        self.name = f"w-{uuid4().hex[:8]}"
        self.emulator = emulator
        self.source, self.sink = kinesalite.create_stream(shards=2), kinesalite.create_stream(shards=1)
        self.queue_url = emulator.client("sqs").create_queue(QueueName=f"{self.name}-bad")["QueueUrl"]
        emulator.client("s3").create_bucket(Bucket=self.name)
        environment = emulator.process_env | {
            "AWS_ENDPOINT_URL_KINESIS": kinesalite.url,
            "WINDOWER_APP_ID": self.name,
            "WINDOWER_SOURCE_STREAM": self.source.name,
            "WINDOWER_SINK_STREAM": self.sink.name,
            "WINDOWER_BAD_EVENTS_QUEUE": f"{self.name}-bad",
            "WINDOWER_BAD_EVENTS_BUCKET": self.name,
            "WINDOWER_EXCLUSIVE": "false",
            "WINDOWER_LEASE": "2",
            "WINDOWER_COMMIT_INTERVAL": "0.3",
        }
        self.workers = [ServiceProcess("windower", environment, folder) for _ in range(2)]
        self.sent: list[bytes] = []
        self._second = 0
        self._rng = random.Random(1)

    def start(self) -> None:
        """Start both, and wait until each has a shard."""
        for worker in self.workers:
            worker.start()
        wait_until(lambda: len(self.owners()) == 2, 60, f"a shard each\n{self.tails()}", 0.2)

    def owners(self) -> set[str]:
        """Who has leases now."""
        held = {row["owner"] for row in leases(self.emulator, self.name).values()} if self._has_table() else set()
        return held - {""}

    def _has_table(self) -> bool:
        return self.name in self.emulator.client("dynamodb").list_tables()["TableNames"]

    def send(self, seconds: int) -> None:
        """Send the next `seconds` of event time, up to 5 s out of order."""
        records = []
        for n in range(seconds * RATE):
            at = max(0, self._second * 1000 + n * 1000 // RATE - self._rng.randrange(5000))
            user = f"u{self._rng.randrange(USERS)}"
            event = {"user_id": user, "event_type": "view", "txn_timestamp": format_instant(START + at)}
            records.append((user, msgspec.json.encode(event)))
        put(self.source.kinesis, self.source.name, records)
        self.sent += [data for _, data in records]
        self._second += seconds

    def send_heartbeats(self) -> None:
        """Move event time on in every open shard, so that every window fires."""
        at = format_instant(START + self._second * 1000 + 60_000)
        data = msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": at})
        for shard in self.source.open_shards():
            self.source.kinesis.put_record(
                StreamName=self.source.name,
                Data=data,
                PartitionKey="heartbeat",
                ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
            )

    def until_exact(self) -> None:
        """Wait until every user's count in every window is the exact one, and has never been another."""
        expected = {key: {n} for key, n in exact_counts(self.sent).items()}

        def counted() -> bool:
            return final_values(read_counts(self.source.kinesis, self.sink.name)) == expected

        wait_until(counted, 90, f"all windows in the sink\n{self.tails()}", 0.3)
        assert drain_bad_events(self.emulator.client("sqs"), self.queue_url) == []

    def until_shared(self) -> None:
        """Wait until the leases are those of the open shards, and both workers have some."""
        still_open = {shard["ShardId"] for shard in self.source.open_shards()}
        shared = min(2, len(still_open))

        def rested() -> bool:
            return set(leases(self.emulator, self.name)) == still_open and len(self.owners()) == shared

        wait_until(rested, 60, f"finished shards to be forgotten, the others to be shared\n{self.tails()}", 0.3)

    def tails(self) -> str:
        return "\n".join(worker.tail(8) for worker in self.workers)

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()


@pytest.fixture
def pair(emulator: Emulator, kinesalite: Kinesalite, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(emulator, kinesalite, tmp_path)
    yield made
    made.stop()


def test_a_merge_of_two_shards_that_two_windowers_have_leaves_every_count_exact(pair: Pair) -> None:
    pair.start()
    pair.send(25)
    pair.source.merge()
    pair.send(25)
    pair.send_heartbeats()
    pair.until_exact()
    pair.until_shared()


def test_splits_and_merges_under_load_leave_every_count_exact(pair: Pair) -> None:
    pair.start()
    for reshard in (pair.source.split, pair.source.merge, pair.source.split, pair.source.merge):
        pair.send(8)
        reshard()
        pair.send(8)
    pair.send_heartbeats()
    pair.until_exact()


@pytest.mark.parametrize("reshard", [ReshardedStream.merge, ReshardedStream.split], ids=["merge", "split"])
@pytest.mark.parametrize("killed", [0, 1])
def test_kill_9_of_either_windower_around_a_reshard_leaves_every_count_exact(
    pair: Pair, reshard: Callable[[ReshardedStream], None], killed: int
) -> None:
    pair.start()
    pair.send(15)
    reshard(pair.source)
    pair.workers[killed].kill()
    pair.send(15)
    pair.workers[killed].start()
    pair.send(15)
    pair.workers[1 - killed].kill()
    pair.workers[1 - killed].start()
    pair.send_heartbeats()
    pair.until_exact()
