"""A hundred thousand records, a fifth of them bad in every way we know: nobody dies, nothing is lost."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from storepulse.instants import format_instant
from tests.chain import Chain
from tests.emulator import wait_until
from tests.fuzz import START_MS, STEP_MS, records
from tests.observed import SINK, SOURCE
from tests.streams import Key, exact_counts, put

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(900)]
RECORDS, BAD_SHARE = 95_000, 0.2
COUNTS = 5_000  # into stream 2, all of them bad


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with Chain(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


def send_heartbeats(chain: Chain) -> None:
    """Move every shard's event time past the last window."""
    kinesis = chain.emulator.client("kinesis")
    end = format_instant(START_MS + RECORDS * STEP_MS + 60_000)
    for shard in kinesis.list_shards(StreamName=SOURCE)["Shards"]:
        kinesis.put_record(
            StreamName=SOURCE,
            Data=msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": end}),
            PartitionKey="heartbeat",
            ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
        )


def test_every_fuzzed_record_is_counted_or_in_the_queue_with_its_reason(chain: Chain) -> None:
    sent = list(records(7, RECORDS, bad_share=BAD_SHARE))
    counts = [data for data, is_good in records(8, 10 * COUNTS, bad_share=0.5) if not is_good][:COUNTS]
    kinesis = chain.emulator.client("kinesis")
    put(kinesis, SOURCE, [(str(number % 17), data) for number, (data, _) in enumerate(sent)])
    put(kinesis, SINK, [(str(number % 17), data) for number, data in enumerate(counts)])
    send_heartbeats(chain)
    expected: dict[Key, int] = exact_counts(data for data, is_good in sent if is_good)
    bad = Counter(data for data, is_good in sent if not is_good) + Counter(counts)

    def set_aside() -> bool:
        chain.collect()
        return len(chain.bad) >= bad.total()

    wait_until(set_aside, 600, "every bad record set aside", 1.0)
    wait_until(lambda: sum(chain.counts().values()) >= sum(expected.values()), 600, "every good one counted", 5.0)
    assert chain.counts() == expected
    assert Counter(event.raw() for event in chain.bad.values()) == bad
    assert all(event.reason for event in chain.bad.values())
    assert {event.service for event in chain.bad.values()} == {"windower", "detector"}


def test_no_service_died_of_it(chain: Chain) -> None:
    for service in (chain.windower, chain.detector):
        assert service.process.poll() is None
        assert service.get("/health/ready")[0] == 200
    starts = [line for line in chain.detector.log_lines() if line["event"] == "kcl_daemon_started"]
    assert len(starts) == 1


def test_logs_stay_small_whatever_comes(chain: Chain) -> None:
    for log in (chain.windower.log, chain.detector.log):
        assert Path(log).stat().st_size < 5_000_000
