"""Reads stream 1 beside the windower, and so knows the exact answer: who did how much in which window, and when."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storepulse.activity.actions import decode_actions
from storepulse.instants import format_instant
from storepulse.streaming.windows import window_of

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

POLL_EVERY = 0.25  # seconds
Key = tuple[str, str]  # user, window start


@dataclass(slots=True, kw_only=True)
class Testimony:
    """What is true of the records in stream 1 so far."""

    records: int = 0  # without heartbeats
    latest_ms: int = 0  # event time, milliseconds since the epoch
    counts: Counter[Key] = field(default_factory=Counter)
    crossed_at: dict[Key, float] = field(default_factory=dict)  # arrival of the action over the limit, epoch seconds


class Witness(threading.Thread):
    """Follows every shard of stream 1 from its beginning."""

    def __init__(self, kinesis: "KinesisClient", stream: str, *, window_ms: int, limit: int) -> None:
        """Read nothing yet."""
        super().__init__(name="witness", daemon=True)
        self._kinesis = kinesis
        self._stream = stream
        self._window_ms = window_ms
        self._limit = limit
        self._over = threading.Event()
        self.testimony = Testimony()

    def run(self) -> None:
        """Read until stopped."""
        iterators = [
            self._kinesis.get_shard_iterator(
                StreamName=self._stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for shard in self._kinesis.list_shards(StreamName=self._stream)["Shards"]
        ]
        while not self._over.is_set():
            for position, iterator in enumerate(iterators):
                page = self._kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                iterators[position] = page["NextShardIterator"]
                self._take(
                    [record["Data"] for record in page["Records"]],
                    [record["ApproximateArrivalTimestamp"].timestamp() for record in page["Records"]],
                )
            self._over.wait(POLL_EVERY)

    def _take(self, payloads: list[bytes], arrivals: list[float]) -> None:
        actions = decode_actions(payloads)
        heartbeats = actions.users.count(None) - len(actions.bad)
        self.testimony.records += len(payloads) - heartbeats
        for user, time, arrival in zip(actions.users, actions.times, arrivals, strict=True):
            self.testimony.latest_ms = max(self.testimony.latest_ms, time)
            if user is not None:
                key = (user, format_instant(window_of(time, self._window_ms).start))
                self.testimony.counts[key] += 1
                if self.testimony.counts[key] == self._limit + 1:
                    self.testimony.crossed_at[key] = arrival

    def stop(self) -> None:
        """Read no more."""
        self._over.set()
        self.join(5)
