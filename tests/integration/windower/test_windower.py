"""The windower as a process over the emulator: two shards keyed by category, so users span shards."""

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from storepulse.failures import BadEvent, FailureKind
from storepulse.instants import format_instant, parse_instant
from tests.emulator import Emulator, wait_until
from tests.processes import ServiceProcess
from tests.streams import drain_bad_events, exact_counts, final_values, put, read, read_counts

pytestmark = pytest.mark.emulator
START = parse_instant("2026-01-01T00:00:00.000Z")
SHARD_KEYS = ("0", "170141183460469231731687303715884105728")  # the first hash key of each of two shards


class Stage:
    """Two streams and a queue of this test's own, and the windower between them."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.name = f"w-{uuid4().hex[:8]}"
        self.emulator = emulator
        self.kinesis = emulator.client("kinesis")
        self.source, self.sink = f"{self.name}-1", f"{self.name}-2"
        for stream in (self.source, self.sink):
            self.kinesis.create_stream(StreamName=stream, ShardCount=2)
        self.queue_url = emulator.client("sqs").create_queue(QueueName=f"{self.name}-bad")["QueueUrl"]
        emulator.client("s3").create_bucket(Bucket=self.name)
        environment = emulator.process_env | {
            "WINDOWER_APP_ID": self.name,
            "WINDOWER_SOURCE_STREAM": self.source,
            "WINDOWER_SINK_STREAM": self.sink,
            "WINDOWER_BAD_EVENTS_QUEUE": f"{self.name}-bad",
            "WINDOWER_BAD_EVENTS_BUCKET": self.name,
            "WINDOWER_LEASE": "2",
            "WINDOWER_COMMIT_INTERVAL": "0.3",
            "WINDOWER_MAX_AHEAD": "P3660D",  # START may be after the machine's own time
            "WINDOWER_MAX_REPLAY_AHEAD": "P3660D",
        }
        self.windower = ServiceProcess("windower", environment, folder)
        self.sent: list[bytes] = []

    def send(self, records: list[tuple[str, bytes]]) -> None:
        put(self.kinesis, self.source, records)
        self.sent.extend(data for _, data in records)

    def send_heartbeats(self, at: int) -> None:
        data = msgspec.json.encode({"event_type": "heartbeat", "txn_timestamp": format_instant(START + at)})
        for key in SHARD_KEYS:
            self.kinesis.put_record(StreamName=self.source, Data=data, PartitionKey="heartbeat", ExplicitHashKey=key)

    def finals(self) -> dict[tuple[str, str], set[int]]:
        return final_values(read_counts(self.kinesis, self.sink))

    def until_all_counted(self) -> None:
        expected = {key: {n} for key, n in exact_counts(self.sent).items()}
        wait_until(lambda: self.finals() == expected, 60, f"all windows in the sink\n{self.windower.tail()}", 0.3)


@pytest.fixture
def stage(emulator: Emulator, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(emulator, tmp_path)
    yield made
    made.windower.stop()


def traffic(seed: int, seconds: int, rate: int = 60, at: int = 0) -> list[tuple[str, bytes]]:
    """Records of 20 users and 8 categories, up to 5 s out of order, the first at `at` ms."""
    rng = random.Random(seed)
    records = []
    for n in range(seconds * rate):
        time = at + max(0, n * 1000 // rate - rng.randrange(5000))
        user, category = str(rng.randrange(20)), str(rng.randrange(8))
        event = {"user_id": user, "event_type": "view", "txn_timestamp": format_instant(START + time)}
        records.append((category, msgspec.json.encode(event)))
    return records


def test_counts_are_exact_and_early_ones_come_before_the_window_fires(stage: Stage) -> None:
    burst = [("1", record) for record in [traffic(0, 1)[0][1]] * 12]
    with stage.windower:
        stage.send(burst)
        wait_until(lambda: read(stage.kinesis, stage.sink), 30, "the early count")
        (early,) = read_counts(stage.kinesis, stage.sink)
        assert (early.kind, early.num_actions) == ("early", 11)
        stage.send(traffic(1, 30))
        stage.send_heartbeats(60_000)
        stage.until_all_counted()
        assert stage.windower.metric('windower_records_total{outcome="counted"}') == len(stage.sent)
        assert stage.windower.terminate() == 0


def test_kill_9_again_and_again_leaves_every_count_exact(stage: Stage) -> None:
    records = traffic(2, 60)
    stage.windower.start()
    for start in range(0, len(records), 360):
        stage.send(records[start : start + 360])
        stage.windower.until_ready()
        if start % 720:  # every other life gets to count something, and dies soon after
            wait_until(lambda: stage.windower.metric("windower_records_total") > 0, 20, "a first batch")
        stage.windower.kill()
        stage.windower.start()
    stage.windower.until_ready()
    stage.send_heartbeats(120_000)
    stage.until_all_counted()
    assert drain_bad_events(stage.emulator.client("sqs"), stage.queue_url) == []


def test_what_cannot_be_counted_is_in_the_queue_and_the_rest_is_counted(stage: Stage) -> None:
    good = traffic(4, 30)
    bad = [b"", b"{", b"\xff\xfe", b'{"user_id":1}', b"[" * 100_000, b'{"user_id":"u","txn_timestamp":"2026-01-01"}']
    huge = b'{"user_id":"' + b"u" * 300_000 + b'","txn_timestamp":"2026-01-01T00:00:00.000Z"}'
    with stage.windower:
        stage.send(good)
        put(stage.kinesis, stage.source, [("1", data) for data in [*bad, huge] if data])
        stage.send_heartbeats(60_000)
        stage.until_all_counted()
        late = traffic(5, 1)[:5]
        put(stage.kinesis, stage.source, late)
        found: list[BadEvent] = []

        def all_found() -> bool:
            found.extend(drain_bad_events(stage.emulator.client("sqs"), stage.queue_url))
            return len(found) >= 11

        wait_until(all_found, 30, "11 bad events")
    assert len(found) == 11
    assert sorted(event.raw() for event in found if event.payload_url is None and event.kind != "late") == sorted(
        data for data in bad if data
    )
    assert [event.kind for event in found].count(FailureKind.LATE) == 5
    (large,) = [event for event in found if event.payload_url is not None]
    key = (large.payload_url or "").removeprefix(f"s3://{stage.name}/")
    assert stage.emulator.client("s3").get_object(Bucket=stage.name, Key=key)["Body"].read() == huge
    assert all(event.reason and event.stream == stage.source for event in found)


def test_it_outlives_an_outage_of_aws(stage: Stage) -> None:
    with stage.windower:
        stage.send(traffic(6, 20))
        stage.emulator.pause()
        try:
            wait_until(lambda: stage.windower.get("/health/ready")[0] == 503, 60, "unready in the outage", 0.3)
            assert stage.windower.get("/health/live")[0] == 200
        finally:
            stage.emulator.resume()
        stage.windower.until_ready()
        stage.send_heartbeats(60_000)
        stage.until_all_counted()
        assert stage.windower.process.poll() is None


def test_started_while_aws_is_away_it_lives_and_is_ready_only_when_aws_is_back(stage: Stage) -> None:
    stage.emulator.pause()
    try:
        stage.windower.start()
        wait_until(lambda: stage.windower.get("/health/live")[0] == 200, 60, "alive", 0.1)
        seen = {stage.windower.get("/health/ready")[0]}
        wait_until(lambda: "bad_events_queue" in stage.windower.get("/health/ready")[1], 60, "a check by name", 0.1)
        seen.add(stage.windower.get("/health/ready")[0])
    finally:
        stage.emulator.resume()
    assert seen == {503}
    stage.windower.until_ready()


def test_it_stops_when_told_to_while_aws_is_away_and_loses_nothing(stage: Stage) -> None:
    with stage.windower:
        stage.send(traffic(8, 20))
        wait_until(lambda: stage.windower.metric("windower_records_total") > 0, 30, "a first batch")
        stage.emulator.pause()
        try:
            stage.windower.terminate()
        finally:
            stage.emulator.resume()
    with stage.windower:
        stage.send_heartbeats(60_000)
        stage.until_all_counted()


def test_a_restarted_windower_goes_on_at_once_and_a_former_one_that_wakes_stands_by(
    stage: Stage, tmp_path: Path
) -> None:
    named = stage.windower._environment | {"WINDOWER_WORKER_ID": "w", "WINDOWER_LEASE": "300"}  # outlasts the test
    former = ServiceProcess("windower", named, tmp_path)
    again = ServiceProcess("windower", named, tmp_path)
    with former:
        stage.send(traffic(9, 30))
        wait_until(lambda: former.metric("windower_records_total") > 0, 30, "a first batch")
        former.process.send_signal(signal.SIGSTOP)
        try:
            with again:
                stage.send_heartbeats(60_000)
                stage.until_all_counted()
                former.process.send_signal(signal.SIGCONT)
                stage.send(traffic(10, 30, at=60_000))
                stage.send_heartbeats(120_000)
                stage.until_all_counted()
                wait_until(lambda: "standing by" in former.log.read_text(), 30, "the former one to stand by")
                assert former.process.poll() is None
        finally:
            former.process.send_signal(signal.SIGCONT)
    assert drain_bad_events(stage.emulator.client("sqs"), stage.queue_url) == []


def test_a_standby_takes_over_where_the_active_one_was_killed(stage: Stage, tmp_path: Path) -> None:
    standby = ServiceProcess("windower", stage.windower._environment, tmp_path)
    with stage.windower, standby:
        stage.send(traffic(7, 20))
        stage.windower.kill()
        stage.send_heartbeats(60_000)
        stage.until_all_counted()


def test_a_taken_port_and_a_missing_setting_are_told_in_one_line(stage: Stage, tmp_path: Path) -> None:
    incomplete = {k: v for k, v in stage.windower._environment.items() if k != "WINDOWER_BAD_EVENTS_QUEUE"}
    unset = ServiceProcess("windower", incomplete, tmp_path)
    assert unset.start().process.wait(30) == 2
    assert "WINDOWER_BAD_EVENTS_QUEUE is not set" in unset.tail()
    assert "Traceback" not in unset.tail()
    with stage.windower:
        second = ServiceProcess("windower", stage.windower._environment, tmp_path)
        second.port = stage.windower.port
        second._environment["WINDOWER_PORT"] = str(second.port)
        assert second.start().process.wait(30) == 1
        assert "cannot_listen" in second.tail()
