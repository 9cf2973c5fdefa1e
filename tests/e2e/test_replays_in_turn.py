"""One replay after another into one stream, by any clock and from anywhere: none makes the rows of the next late."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storepulse.failures import FailureKind
from tests.chain import Chain
from tests.emulator import stop_group, wait_until
from tests.observed import BAD_EVENTS, RAW_BUCKET
from tests.processes import ServiceProcess
from tests.unit.producer.builders import csv_text, row

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]
ROWS = [row(n * 3, user=n % 50, category=n % 7) for n in range(1200)]  # an hour
SHIFTED = ("--clock", "event", "--speed", "max")
FILE = "s3://storepulse-raw-local-000000000000/raw/turn.csv"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with Chain(tmp_path_factory.mktemp("turns")) as running:
        running.emulator.client("s3").put_object(Bucket=RAW_BUCKET, Key="raw/turn.csv", Body=csv_text(ROWS))
        yield running


@pytest.fixture(scope="module")
def producer(chain: Chain) -> Iterator[httpx.Client]:
    wiring = {"PRODUCER_RAW_BUCKET": RAW_BUCKET, "PRODUCER_BAD_EVENTS_QUEUE": BAD_EVENTS}
    service = ServiceProcess("producer", chain.emulator.process_env | wiring, chain.folder)
    with service, httpx.Client(base_url=service.url, timeout=30) as http:
        yield http


def refused(chain: Chain, *arguments: str) -> str:
    """Return what the command line says that does not play."""
    process = chain.start_replay(*arguments)
    try:
        assert process.wait(120) == 1
    finally:
        stop_group(process)
    return Path(chain.folder / "producer.log").read_text()


def late(chain: Chain) -> int:
    chain.collect()
    return sum(event.kind is FailureKind.LATE for event in chain.bad.values())


def test_command_then_command_then_http_count_every_row_and_a_wall_clock_says_when_it_can_run(
    chain: Chain, producer: httpx.Client
) -> None:
    chain.replay(FILE, *SHIFTED)
    chain.replay(FILE, *SHIFTED, "--anchor", "end")
    started = producer.post("/replays", json={"sources": [FILE], "clock": "event", "speed": "max"})
    assert started.status_code == 201, started.text
    path = f"/replays/{started.json()['replay_id']}"
    wait_until(lambda: producer.get(path).json()["phase"] == "finished", 120, "the replay over HTTP")
    assert producer.get(path).json()["late"] == 0

    assert "The wall clock can run from 20" in refused(chain, FILE, "--speed", "max")
    answer = producer.post("/replays", json={"sources": [FILE], "speed": "max"})
    assert (answer.status_code, "The wall clock can run from 20" in answer.json()["detail"]) == (409, True)

    chain.until_accounted(3 * len(ROWS))
    assert (late(chain), chain.counts()) == (0, chain.exact())


def test_what_a_replay_says_of_its_late_rows_is_what_the_windower_sets_aside(chain: Chain) -> None:
    before, accounted = late(chain), len(chain.bad) + sum(chain.counts().values())
    process = chain.start_replay(FILE, *SHIFTED, "--base", "2026-01-01T00:00:00Z")
    try:
        assert process.wait(120) == 3
    finally:
        stop_group(process)
    chain.until_accounted(accounted + len(ROWS))
    told = (chain.folder / "producer.log").read_text()
    assert f"late: {len(ROWS):,} rows" in told
    assert late(chain) - before == len(ROWS)
