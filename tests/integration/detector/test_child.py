"""A child of the daemon as a process, with the test in the daemon's place."""

import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import AnyHttpUrl

from detector.kcl.runfiles import RunFiles, write_run_files
from detector.settings import DetectorSettings
from storepulse.activity.counts import encode_count
from tests.emulator import Emulator, stop_group, wait_until
from tests.integration.detector.account import Account
from tests.unit.detector.builders import count

pytestmark = pytest.mark.emulator


class Child:
    """`python -m detector.processor` and its two pipes."""

    def __init__(self, account: Account, folder: Path, *, store_from: int = 1) -> None:
        settings = DetectorSettings(
            endpoint_url=AnyHttpUrl(account.emulator.url),
            run_dir=folder,
            stream=account.stream,
            counts_table=account.counts_table,
            alerts_table=account.alerts_table,
            alerts_topic_arn=account.topic,
            bad_events_queue=account.bad_events_queue,
            bad_events_bucket=account.bucket,
            checkpoint_seconds=0,
            store_from=store_from,
        )
        self.files: RunFiles = write_run_files(settings)
        self.log = folder / "child.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "detector.processor", str(self.files.settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=account.emulator.process_env,
                start_new_session=True,
            )

    def say(self, **message: object) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> Any:  # noqa: ANN401 - JSON
        """Return the next message."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line.strip() else self.hear()

    def registered(self) -> list[str]:
        """Return the files by which a supervisor knows of children."""
        return [path.name for path in self.files.children.iterdir()]

    def stop(self) -> None:
        """End it."""
        stop_group(self.process, grace_s=1)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def account(emulator: Emulator) -> Account:
    """An account of this test's own."""
    return Account(emulator, shards=1)


@pytest.fixture
def child(account: Account, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Child]:
    """A child that knows its shard."""
    child = Child(account, tmp_path / "run", store_from=getattr(request, "param", 1))
    try:
        child.say(action="initialize", shardId="s-0", sequenceNumber="TRIM_HORIZON", subSequenceNumber=0)
        assert child.hear() == {"action": "status", "responseFor": "initialize"}
        yield child
    finally:
        child.stop()


def batch(*payloads: bytes) -> dict[str, object]:
    """Return a message with a batch."""
    records = [
        {
            "action": "record",
            "data": b64encode(payload).decode(),
            "partitionKey": "k",
            "sequenceNumber": str(place),
            "subSequenceNumber": 0,
            "approximateArrivalTimestamp": 1_790_000_000_000,
        }
        for place, payload in enumerate(payloads, 1)
    ]
    return {"action": "processRecords", "records": records, "millisBehindLatest": 0}


def test_a_batch_is_stored_before_its_checkpoint_is_asked_for(child: Child, account: Account) -> None:
    child.say(**batch(encode_count(count("anna", 50)), b"\xff"))
    assert child.hear() == {"action": "checkpoint", "sequenceNumber": "2", "subSequenceNumber": 0}
    assert len(account.counted()) == len(account.dead_letters()) == len(account.published()) == 1
    child.say(action="checkpoint")
    assert child.hear() == {"action": "status", "responseFor": "processRecords"}


@pytest.mark.parametrize("child", [20], indirect=True)
def test_a_child_leaves_small_counts_out_of_the_table_and_raises_their_alerts(child: Child, account: Account) -> None:
    child.say(**batch(*[encode_count(count(f"user{actions}", actions)) for actions in (1, 15, 20)]))
    assert child.hear()["action"] == "checkpoint"
    assert [actions for actions, _ in account.counted().values()] == [20]
    assert {user for user, _ in account.alerts()} == {"user15", "user20"}
    assert account.published().total() == 2


def test_a_child_ends_in_order_when_the_daemon_is_gone(child: Child) -> None:
    assert child.registered() == [str(child.process.pid)]
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.process.wait(10) == 0
    assert child.registered() == []


def test_a_child_that_waits_ends_at_once_on_sigterm(child: Child) -> None:
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(10) == 0


def test_a_child_that_retries_ends_on_sigterm_but_not_in_order_as_its_batch_is_undone(
    child: Child, account: Account, emulator: Emulator
) -> None:
    emulator.client("dynamodb").delete_table(TableName=account.counts_table)
    child.say(**batch(encode_count(count())))
    wait_until(lambda: "retrying" in child.log.read_text(), 15, "the first retry")
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(15) == 1
    assert child.registered() == [str(child.process.pid)]


def test_a_refused_checkpoint_for_good_ends_the_child(child: Child) -> None:
    child.say(**batch(encode_count(count())))
    assert child.hear()["action"] == "checkpoint"
    child.say(action="checkpoint", error="InvalidStateException")
    assert child.process.wait(10) == 1
