"""The Flink job in the windower's place: stream 1, the job, stream 2, detector, alerts; or a clear word why not."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local import flink
from storepulse.activity.actions import decode_actions
from storepulse.instants import format_instant
from tests.builders import heartbeat, payload
from tests.e2e.flink_job import PATIENCE_S, FlinkJob
from tests.emulator import ROOT, wait_until
from tests.parity.answers import MAX_BYTES_TOLD, pure
from tests.parity.cases import HOUR, stream
from tests.streams import final_values
from tests.unit.storepulse.corpus import BAD
from tests.untested import skip_promise

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(900)]

JAR = ROOT / "flink/target/pyflink-dependencies.jar"
LARGEST = 1_000_000  # the emulator takes no more than a mebibyte
GARBAGE = [bad.payload for bad in BAD if len(bad.payload) <= LARGEST] + [b"\xff" * LARGEST]
#: What `make flink-package` says where something is missing that is not ours; anything else is a failure of ours.
MISSING = {
    r"needs Maven": "Maven",
    r"No compiler is provided": "a JDK; a Java runtime alone is there",
    r"(?s)(could not be resolved|Could not resolve).*flink-connector-aws-kinesis-streams": "the connector "
    "org.apache.flink:flink-connector-aws-kinesis-streams, which Maven cannot get here",
    r"Plugin .* could not be resolved": "a repository that Maven can reach",
}


def make(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own Makefile
        ["make", *arguments],  # noqa: S607 - make is on the path
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )


@pytest.fixture(scope="module")
def missing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the job cannot be packaged for here, as it is now; nothing when it is packaged."""
    made = make("flink-package", folder=tmp_path_factory.mktemp("package"))
    said = made.stdout + made.stderr
    if made.returncode == 0:
        return ""
    reasons = [reason for pattern, reason in MISSING.items() if re.search(pattern, said)]
    assert reasons, said[-3000:]
    return reasons[0]


def test_the_demo_on_flink_accounts_for_every_event_and_finds_every_bot(missing: str, tmp_path: Path) -> None:
    if missing:
        skip_promise("the Flink job over Kinesis", missing=missing)
    ended = make("demo", "ENGINE=flink", "SPEED=300", folder=tmp_path)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "every event is accounted for, every fast bot was found" in ended.stdout


def test_without_its_connector_the_demo_on_flink_says_so_and_starts_nothing(missing: str, tmp_path: Path) -> None:
    if not missing or JAR.exists():
        skip_promise("the demo on Flink where its connector is not there", missing="a machine without it")
    ended = make("demo", "ENGINE=flink", folder=tmp_path)
    assert ended.returncode != 0
    assert "the jar of its Kinesis connector is not there" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def parts(records: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes], int]:
    """Return two parts of a stream of cases, and when the second begins: an hour at least after the first."""
    actions = decode_actions(records)
    for n in range(len(records) // 2, len(records)):
        last, following = actions.times[n - 1 : n + 1]
        if {n - 1, n}.isdisjoint(actions.bad) and following > last + HOUR:
            return records[:n], records[n:], following
    message = "no case ends there"
    raise ValueError(message)


FIRST, LAST, LAST_BEGINS = parts(stream(11, 6, 300))
BETWEEN = [LAST_BEGINS - HOUR // 2 + 250 * n for n in range(400)]
#: In order, so that it does not matter which of two shards is read first when the job starts again.
MIDDLE = [heartbeat(BETWEEN[0])] + [payload(user_id=f"u{at % 7}", txn_timestamp=format_instant(at)) for at in BETWEEN]
#: Five minutes for each of two shards that one subtask reads: one is read far ahead of the other.
BACKLOG = [
    [
        payload(user_id=f"backlog {shard}", txn_timestamp=format_instant(BETWEEN[-1] + 60_000 + 1_000 * second))
        for second in range(300)
    ]
    for shard in range(2)
]
CLOSING = heartbeat(BETWEEN[-1] + 420_000)
IN_STEP = [record for both in zip(*BACKLOG, strict=True) for record in both]
AHEAD = LAST[-1:]  # in the other shard it holds nothing back


@pytest.fixture(scope="module")
def job(missing: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkJob]:
    """A job that was given bad and late records, killed after a checkpoint, started again, and given more of them."""
    if missing:
        skip_promise("the Flink job over Kinesis", missing=missing)
    with FlinkJob(tmp_path_factory.mktemp("flink")) as running:
        running.send(AHEAD, shard=1)
        running.send(GARBAGE)
        bad = pure(GARBAGE).bad.total()
        wait_until(lambda: running.answer().bad.total() == bad, PATIENCE_S, "garbage is told of", 1.0)
        running.send([*FIRST, MIDDLE[0]])
        running.until_it_says(pure([*GARBAGE, *FIRST]))
        running.until_checkpoint()
        said = len(running.counts())
        running.send(MIDDLE[1:300])
        wait_until(lambda: len(running.counts()) > said, PATIENCE_S, "it says more")
        running.kill()
        running.send([*MIDDLE[300:], *BACKLOG[0], CLOSING])
        running.send([*BACKLOG[1], *AHEAD], shard=1)  # a watermark is in no checkpoint
        running.start()
        running.until_it_says(pure([*GARBAGE, *FIRST, *MIDDLE, *IN_STEP]))
        running.send(LAST)
        yield running


def test_over_kinesis_the_job_says_what_the_model_says_though_it_was_killed(job: FlinkJob) -> None:
    job.until_it_says(pure([*GARBAGE, *FIRST, *MIDDLE, *IN_STEP, *LAST]))
    assert all(len(values) == 1 for values in final_values(job.counts()).values()), "a window was counted otherwise"


def test_a_backlog_of_two_shards_in_one_subtask_makes_no_record_late_over_kinesis(job: FlinkJob) -> None:
    counted = Counter[str]()
    for count in set(job.counts()):
        counted[count.user_id] += count.num_actions if count.kind == "final" else 0
    assert {user: counted[user] for user in ("backlog 0", "backlog 1")} == {"backlog 0": 300, "backlog 1": 300}
    assert flink.LOCAL["parallelism.default"] == "1", "both shards are read by one subtask"


def test_after_a_kill_the_job_goes_on_from_its_last_checkpoint(job: FlinkJob) -> None:
    begin = format_instant(BETWEEN[0])
    again = [count for count, times in Counter(job.counts()).items() if times > 1]
    assert again, "it was killed after it had said more than its last checkpoint knew"
    assert all(count.window_end > begin for count in again)


def test_each_bad_event_names_its_record_in_stream_1(job: FlinkJob) -> None:
    told = [event for event in job.bad.values() if event.payload]
    for event in told:
        assert job.record_at(event.shard_id, event.sequence_number) == event.raw()
    untold = [event for event in job.bad.values() if not event.payload]
    found = Counter(job.record_at(event.shard_id, event.sequence_number) for event in untold)
    assert found == Counter(each for each in [*GARBAGE, *FIRST, *LAST] if not each or len(each) > MAX_BYTES_TOLD)
