"""The detector on the real KCL daemon: one that runs through the module, killed and killed again at its end."""

import json
from collections.abc import Callable, Iterator

import pytest

from detector.adapters.dynamo_counts import partition_key
from storepulse.activity.counts import WindowCount
from tests.emulator import Emulator, wait_until
from tests.integration.detector.account import Account
from tests.integration.detector.running import RunningDetector
from tests.unit.detector.builders import alert, count

pytestmark = pytest.mark.emulator
ARRIVAL_S = 60.0


@pytest.fixture(scope="module")
def detector(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDetector]:
    """A detector on two shards; a user's alerts are all published."""
    account = Account(emulator)
    with RunningDetector(account, tmp_path_factory.mktemp("detector"), DETECTOR_COOLDOWN_SECONDS="0") as running:
        running.wait_ready()
        yield running


def key(stored: WindowCount) -> tuple[str, str]:
    """Return the key of a count's item."""
    return partition_key(stored.user_id, "1"), stored.window_end


def wait_counted(account: Account, *counts: WindowCount) -> None:
    """Return when `counts` are stored."""
    wanted = {key(each): (each.num_actions, each.kind) for each in counts}
    wait_until(lambda: wanted.items() <= account.counted().items(), ARRIVAL_S, "the counts", every_s=0.2)


def test_the_counts_of_every_shard_are_stored(detector: RunningDetector) -> None:
    counts = [count(f"shopper{n}", 1 + n % 10) for n in range(700)]
    detector.account.put(*counts)
    wait_counted(detector.account, *counts)
    stored_by = {event["shard_id"] for event in detector.events("batch_processed")}
    assert len(stored_by) == 2


def test_an_early_alert_is_published_once_and_the_final_count_updates_it(detector: RunningDetector) -> None:
    account, early, final = detector.account, count("bot", 11, kind="early"), count("bot", 42)
    account.put(early)
    wait_until(lambda: account.published()[alert("bot").alert_id], ARRIVAL_S, "the alert")
    account.put(final)
    wait_counted(account, final)
    wait_until(lambda: account.alerts()["bot", final.window_start]["kind"] == "final", ARRIVAL_S, "the update")
    stored = account.alerts()["bot", final.window_start]
    assert (stored["num_actions"], stored["status"]) == (42, "published")
    assert account.published()[stored["alert_id"]] == 1
    [line] = [line for line in detector.events("alert_raised") if line["user_id"] == "bot"]
    assert (line["num_actions"], line["status"], line["level"]) == (11, "published", "info")


def test_a_bad_record_is_in_the_queue_with_its_reason_and_the_records_around_it_are_stored(
    detector: RunningDetector,
) -> None:
    account, around = detector.account, [count("before"), count("after")]
    account.put(around[0], b"\xff\xfe no count", b'{"user_id": null}', around[1])
    wait_counted(account, *around)
    wait_until(lambda: len(account.dead_letters()) >= 2, ARRIVAL_S, "two bad events")
    by_kind = {bad["kind"]: bad for bad in account.dead_letters()}
    assert (by_kind["malformed"]["stream"], by_kind["malformed"]["shard_id"][:5]) == (account.stream, "shard")
    assert "UTF-8" in by_kind["malformed"]["reason"]
    assert "user_id" in by_kind["invalid"]["reason"]


def test_records_that_the_kpl_packed_into_one_are_counted_one_by_one(detector: RunningDetector) -> None:
    account, packed = detector.account, [count(f"packed{n}", 5) for n in range(40)]
    account.put_aggregated(*packed, b"no count")
    wait_counted(account, *packed)
    wait_until(lambda: any("/" in bad["sequence_number"] for bad in account.dead_letters()), ARRIVAL_S, "the bad one")
    [bad] = [bad for bad in account.dead_letters() if "/" in bad["sequence_number"]]
    assert bad["sequence_number"].endswith("/40")


def test_the_operations_page_shows_health_by_name_and_the_childrens_metrics(detector: RunningDetector) -> None:
    detector.account.put(count("metric"))
    wait_counted(detector.account, count("metric"))
    status, health = detector.get("/health/ready")
    checks = json.loads(health)["checks"]
    assert (status, set(checks.values())) == (200, {"ok"})
    assert {"kcl_daemon", "kcl_children", "kinesis", "dynamodb_counts", "sns", "sqs", "cloudwatch"} <= checks.keys()
    assert detector.get("/health/live")[0] == 200
    metrics = detector.get("/metrics")[1]
    for name in ("records_total{", "record_age_seconds_bucket", "millis_behind_latest", "seconds_since_checkpoint"):
        assert f"\ndetector_{name}" in metrics


def test_every_line_of_the_log_is_json_with_the_services_name(detector: RunningDetector) -> None:
    assert {line["service"] for line in detector.events()} == {"detector"}


KILLS: dict[str, Callable[[RunningDetector], None]] = {
    "child": lambda detector: detector.children()[0].kill(),
    "daemon": lambda detector: detector.java().kill(),
    "supervisor": lambda detector: detector.kill(),
}


@pytest.mark.parametrize("who", KILLS)
def test_after_a_kill_all_records_are_handled_and_no_message_comes_twice(detector: RunningDetector, who: str) -> None:
    account = detector.account
    before = [count(f"{who}-before{n}", 9 + n % 3) for n in range(200)]
    after = [count(f"{who}-after{n}", 9 + n % 3) for n in range(200)]
    account.put(*before)
    wait_counted(account, *before)
    KILLS[who](detector)
    account.put(*after)
    if who == "supervisor":
        wait_until(lambda: not detector.family(), 10, "the daemon and its children to follow their supervisor")
        detector.start()
    wait_counted(account, *after)
    bots = [each for each in (*before, *after) if each.num_actions > 10]
    wait_until(lambda: _all_published(account, bots), ARRIVAL_S, "the alerts")
    assert max(account.published().values()) == 1
    detector.wait_ready()


def _all_published(account: Account, bots: list[WindowCount]) -> bool:
    alerts = account.alerts()
    return all(alerts.get((bot.user_id, bot.window_start), {}).get("status") == "published" for bot in bots)


def test_sigterm_checkpoints_what_is_handled_and_ends_everything_in_time(detector: RunningDetector) -> None:
    account, last = detector.account, [count(f"last{n}") for n in range(50)]
    account.put(*last)
    wait_counted(account, *last)
    assert detector.terminate(30) == 0
    assert detector.family() == []
    ends = detector.events("shard_shut_down")
    assert [end["checkpointed"] for end in ends] == [True, True]
    stored = account.counted()
    detector.start()
    detector.wait_ready()
    account.put(count("one more"))
    wait_counted(account, count("one more"))
    assert sum(event["records"] for event in detector.events("batch_processed")) == 1  # nothing came again
    assert stored.items() <= account.counted().items()
