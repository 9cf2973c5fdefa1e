import gzip
import itertools
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from local.deployer import deploy_all
from tests.emulator import Emulator, stop_group, wait_until
from tests.integration.local.running import environment, local, one_line, start

pytestmark = pytest.mark.emulator

STREAM = "ecommerce-raw-user-activity-stream-1"
BUCKET = "storepulse-raw-local-000000000000"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY = re.compile(r"stream-1/dt=\d{4}-\d\d-\d\d/hr=\d\d/storepulse-archive-local-1-\d{4}(-\d\d){5}-" + UUID + r"\.gz")
NUMBERS = itertools.count()


@pytest.fixture
def deployed(own_emulator: Emulator) -> Emulator:
    deploy_all(own_emulator.url)
    return own_emulator


@contextmanager
def firehose(emulator: Emulator, folder: Path, *options: str, end: signal.Signals) -> Iterator[None]:
    """Run the stand-in, and end it by a signal."""
    log = folder / "firehose.log"
    log.touch()
    before = log.read_text().count('"archiving"')
    env = environment(folder, port=emulator.port)
    process = start("firehose", "--poll", "0.2", *options, env=env, log=log)
    try:
        wait_until(lambda: log.read_text().count('"archiving"') > before, 60, f"it archives: {log}")
        yield
    finally:
        stop_group(process, end)


def put(emulator: Emulator, count: int, *, padding: int = 0) -> list[int]:
    """Put numbered records without newlines into stream 1, over all its shards; return their numbers."""
    numbers = list(itertools.islice(NUMBERS, count))
    for chunk in (numbers[i : i + 500] for i in range(0, count, 500)):
        emulator.client("kinesis").put_records(
            StreamName=STREAM,
            Records=[
                {"Data": json.dumps({"number": n, "padding": "x" * padding}).encode(), "PartitionKey": str(n)}
                for n in chunk
            ],
        )
    return numbers


def objects(emulator: Emulator) -> dict[str, list[int]]:
    """Return the numbers in each archived object, by key."""
    s3 = emulator.client("s3")
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="stream-1/").get("Contents", [])]
    bodies = {key: gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys}
    return {key: [json.loads(line)["number"] for line in body.splitlines()] for key, body in bodies.items()}


def archived(emulator: Emulator) -> list[int]:
    return sorted(number for numbers in objects(emulator).values() for number in numbers)


def holds(emulator: Emulator, numbers: list[int]) -> bool:
    return set(numbers) <= set(archived(emulator))


def more_than(emulator: Emulator, count: int) -> bool:
    return len(objects(emulator)) > count


def test_records_of_every_shard_arrive_as_gzipped_lines_under_firehose_s_names(
    deployed: Emulator, tmp_path: Path
) -> None:
    with firehose(deployed, tmp_path, "--seconds", "1", end=signal.SIGTERM):
        sent = put(deployed, 200)
        wait_until(lambda: holds(deployed, sent), 30, "everything is archived")
    assert all(KEY.fullmatch(key) for key in objects(deployed))


def test_what_is_young_and_small_is_not_written_yet_and_sigterm_writes_it(deployed: Emulator, tmp_path: Path) -> None:
    with firehose(deployed, tmp_path, end=signal.SIGTERM):
        before = archived(deployed)
        sent = put(deployed, 50)
        assert archived(deployed) == before
    assert holds(deployed, sent)


def test_an_object_is_written_at_its_size_however_young_it_is(deployed: Emulator, tmp_path: Path) -> None:
    with firehose(deployed, tmp_path, "--mebibytes", "0.1", end=signal.SIGKILL):
        before = set(objects(deployed))
        put(deployed, 1000, padding=300)  # 0.3 MiB: three whole objects and a rest
        wait_until(lambda: len(set(objects(deployed)) - before) >= 3, 30, "three objects are written")
    sizes = [len(numbers) for key, numbers in objects(deployed).items() if key not in before]
    assert max(sizes) < 400


def test_kill_9_loses_nothing(deployed: Emulator, tmp_path: Path) -> None:
    sent = []
    for _ in range(3):
        with firehose(deployed, tmp_path, "--seconds", "1", "--mebibytes", "0.02", end=signal.SIGKILL):
            before = len(objects(deployed))
            sent += put(deployed, 700, padding=100)
            wait_until(partial(more_than, deployed, before), 30, "it is in the middle of its work")
    with firehose(deployed, tmp_path, "--seconds", "1", end=signal.SIGTERM):
        wait_until(lambda: holds(deployed, sent), 30, "everything is archived")


def test_a_clean_restart_archives_nothing_twice(deployed: Emulator, tmp_path: Path) -> None:
    sent: list[int] = []
    for _ in range(2):
        with firehose(deployed, tmp_path, "--seconds", "1", end=signal.SIGTERM):
            sent += put(deployed, 100)
            wait_until(partial(holds, deployed, sent), 30, "everything is archived")
    found = [number for number in archived(deployed) if number in set(sent)]
    assert found == sorted(sent)


def test_an_error_of_aws_in_the_middle_loses_nothing(deployed: Emulator, tmp_path: Path) -> None:
    with firehose(deployed, tmp_path, "--seconds", "1", end=signal.SIGTERM):
        sent = put(deployed, 100)
        wait_until(partial(holds, deployed, sent), 30, "the first records are archived")
        deployed.client("dynamodb").delete_table(TableName="storepulse-archive-local")
        sent += put(deployed, 100)
        wait_until(partial(holds, deployed, sent), 60, "everything is archived")
    assert '"delivery_interrupted"' in (tmp_path / "firehose.log").read_text()


def test_without_a_deployed_stack_the_message_is_one_line(tmp_path: Path) -> None:
    with Emulator(tmp_path) as empty:
        result = local("firehose", env=environment(tmp_path, port=empty.port))
    assert result.returncode == 1
    assert "Storepulse-Data-local is not deployed" in one_line(result.stderr)
