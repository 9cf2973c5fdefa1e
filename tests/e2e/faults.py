"""Ways to break the running chain.

Each is a generator: its first step breaks something, the next ones go on with it, and its end mends what can be mended.
"""

import os
import signal
import time
from collections.abc import Generator
from typing import Final

from storepulse.activity.counts import encode_count
from storepulse.instants import format_instant
from tests.builders import heartbeat, payload, window_count
from tests.chain import Chain
from tests.observed import SINK, SOURCE, TOPIC

FIRST_KEYS: Final = ("0", str(2**127))
"""The first hash key of each of stream 1's two shards."""
MINUTE: Final = 60_000
BACKLOG: Final = 60_000  # records: seconds of reading


def now() -> int:
    """Return the wall time in milliseconds, as a writer stamps it."""
    return time.time_ns() // 1_000_000


def put(chain: Chain, shard: int, *records: bytes) -> None:
    """Put records into one shard of stream 1."""
    for start in range(0, len(records), 500):
        reply = chain.emulator.client("kinesis").put_records(
            StreamName=SOURCE,
            Records=[
                {"PartitionKey": "k", "ExplicitHashKey": FIRST_KEYS[shard], "Data": data}
                for data in records[start : start + 500]
            ],
        )
        assert not reply["FailedRecordCount"]


def act(at: int) -> bytes:
    """Return an action of the time `at`."""
    return payload(txn_timestamp=format_instant(at))


def all_is_well(chain: Chain) -> Generator[None, None, None]:
    """Writers write, and stamp what the time is."""
    while True:
        for shard in (0, 1):
            put(chain, shard, act(now()))
        yield


def event_time_stands_still(chain: Chain) -> Generator[None, None, None]:
    """Writers go on, and stamp the same time again and again."""
    stopped_at = now()
    while True:
        for shard in (0, 1):
            put(chain, shard, act(stopped_at))
        yield


def a_shard_waits_for_the_backlog_of_another(chain: Chain) -> Generator[None, None, None]:
    """After an outage, one shard has much to read, and the other a writer that is ahead."""
    os.kill(chain.windower.pid, signal.SIGSTOP)
    try:
        put(chain, 1, *[act(now() + 4 * MINUTE)] * 1000)
        put(chain, 0, *[act(now())] * BACKLOG)
    finally:
        os.kill(chain.windower.pid, signal.SIGCONT)
    while True:
        yield


def event_time_was_moved_ahead(chain: Chain) -> Generator[None, None, None]:
    """A writer in each shard is four minutes ahead of all others."""
    for shard in (0, 1):
        put(chain, shard, heartbeat(now() + 4 * MINUTE))
    while True:
        put(chain, 0, act(now()))
        yield


def sns_refuses(chain: Chain) -> Generator[None, None, None]:
    """There is an alert, and the topic is gone; then it is there again."""
    sns, name = chain.emulator.client("sns"), TOPIC.rpartition(":")[2]
    sns.delete_topic(TopicArn=TOPIC)
    flood = encode_count(window_count("flood", 40, start=now() // 10_000 * 10_000))
    chain.emulator.client("kinesis").put_record(StreamName=SINK, PartitionKey="flood", Data=flood)
    try:
        while True:
            yield
    finally:
        assert sns.create_topic(Name=name)["TopicArn"] == TOPIC
