from datetime import UTC, datetime

import pytest

from tests.emulator import Emulator, wait_until
from tests.integration.faust_kinesis.conftest import StartWorker
from tests.integration.faust_kinesis.harness import Stream, leases

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(90)]


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


def now_of_kinesis(stream: Stream) -> datetime:
    """The clock that stamps records, to the second."""
    headers = stream.emulator.client("kinesis").list_streams()["ResponseMetadata"]["HTTPHeaders"]
    return datetime.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def next_second(stream: Stream) -> None:
    """A start is decided to the second: let the records so far fall into an earlier one."""
    before = now_of_kinesis(stream)
    wait_until(lambda: now_of_kinesis(stream) > before, 5, "the next second")


def test_latest_is_decided_once_so_a_crash_before_the_first_commit_skips_nothing(
    emulator: Emulator, stream: Stream, app_id: str, worker: StartWorker
) -> None:
    stream.send(numbers(0, 100))
    next_second(stream)
    reader = worker(query="lease=1&start=LATEST", hold=True, commit=600)
    wait_until(lambda: len(reader.shards()) == 2, 20, "both shards")
    stream.send(numbers(100, 200))
    reader.wait_for(numbers(100, 200))
    assert set(reader.payloads()) == set(numbers(100, 200))
    reader.kill()
    assert {row["sequence"] for row in leases(emulator, app_id).values()} == {""}
    stream.send(numbers(200, 300))
    next_second(stream)
    again = worker("again", query="lease=1&start=LATEST")
    again.wait_for(numbers(100, 300))
    assert set(again.payloads()) == set(numbers(100, 300))


def test_a_start_time_skips_what_is_older(stream: Stream, worker: StartWorker) -> None:
    stream.send(numbers(0, 100))
    next_second(stream)
    start = now_of_kinesis(stream)
    stream.send(numbers(100, 200))
    reader = worker(query=f"lease=1&start={start:%Y-%m-%dT%H:%M:%SZ}")
    reader.wait_for(numbers(100, 200))
    assert set(reader.payloads()) == set(numbers(100, 200))
