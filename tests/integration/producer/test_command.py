"""The producer's command line against the emulated AWS: as a process, paused, and killed."""

import gzip
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from storepulse.instants import parse_instant
from tests.docs.documents import commands, documents
from tests.emulator import ROOT, Emulator, stop_group, wait_until
from tests.integration.producer.account import Account, command
from tests.unit.producer.builders import csv_text, row

pytestmark = pytest.mark.emulator
ROWS = [row(n // 40, user=n % 97, category=n % 7) for n in range(6000)]


@pytest.fixture
def account(aws: Emulator, tmp_path: Path) -> Account:
    return Account.create(aws, tmp_path)


class Runs:
    """Producer processes; ended with the test."""

    def __init__(self, account: Account) -> None:
        self.env = account.env
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(  # noqa: S603 - our own
            command(["replay", *arguments]),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def finish(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def stop(self) -> None:
        for process in self._started:
            stop_group(process, grace_s=5)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def runs(account: Account) -> Iterator[Runs]:
    running = Runs(account)
    yield running
    running.stop()


def test_objects_under_a_prefix_are_replayed_in_key_order_and_accounted_for(account: Account, runs: Runs) -> None:
    account.upload("in/2.csv.gz", gzip.compress(csv_text(ROWS[1000:2000])))
    account.upload("in/1.csv", csv_text([*ROWS[:1000], b"no row", b"x" * 400_000]))
    code, _, err = runs.finish(f"s3://{account.bucket}/in/", "--speed", "max", "--clock", "event", "--anchor", "end")
    assert code == 0, err
    rows = account.rows()
    assert Counter(each["user_id"] for each in rows) == Counter(line.split(b",")[7].decode() for line in ROWS[:2000])
    bad = sorted(account.bad_events(), key=lambda each: int(each["sequence_number"]))
    assert [(each["stream"], each["sequence_number"]) for each in bad] == [
        (f"s3://{account.bucket}/in/1.csv", "1002"),
        (f"s3://{account.bucket}/in/1.csv", "1003"),
    ]
    (kept,) = account.aws.client("s3").list_objects_v2(Bucket=account.bucket, Prefix="bad-events/")["Contents"]
    assert (kept["Size"], bad[1]["payload_url"]) == (400_000, f"s3://{account.bucket}/{kept['Key']}")
    for records in account.records().values():
        stamps = [parse_instant(each["txn_timestamp"]) for each in records]
        assert stamps == sorted(stamps)


def test_at_the_original_pace_each_record_is_printed_with_its_status_and_category(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_bytes(csv_text(ROWS[:3]).replace(b",,acme", b",electronics.smartphone,acme"))
    code, out, err = runs.finish(str(tmp_path / "few.csv"), "--pace", "20ms", "--no-drain")
    assert code == 0, err
    assert out == "200 electronics.smartphone\n" * 3


def test_lines_that_nobody_reads_end_the_replay_with_a_line_and_it_can_be_resumed(
    account: Account, runs: Runs, tmp_path: Path
) -> None:
    (tmp_path / "few.csv").write_bytes(csv_text(ROWS[:300]))
    process = runs.start(str(tmp_path / "few.csv"), "--pace", "5ms", "--no-drain")
    assert process.stdout is not None
    assert process.stdout.readline() == "200 (no category)\n"
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(30) == 1
    assert "lines cannot be written" in err
    assert "exception" not in err.lower()
    code, _, err = runs.finish(str(tmp_path / "few.csv"), "--speed", "max", "--no-drain", "--resume")
    assert code == 0, err
    ids = Counter(each["event_id"] for each in account.rows())
    assert (len(ids), set(ids.values())) == (300, {1})


def test_the_replay_in_the_readme_reaches_the_emulated_account_with_no_more_than_the_readme_sets(
    account: Account, runs: Runs
) -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    (exported,) = [line for line in lines if line.startswith("export AWS_ENDPOINT_URL=http://127.0.0.1:4566 ")]
    (replayed,) = [line for line in lines if line.startswith(".venv/bin/python -m producer replay data/")]
    variables = dict(pair.split("=", 1) for pair in exported.split()[1:])
    own = {name: value for name, value in runs.env.items() if not name.startswith("AWS_")}
    runs.env = own | variables | {"AWS_ENDPOINT_URL": account.aws.url}
    _, _, arguments = replayed.partition(" replay ")
    code, _, err = runs.finish(*arguments.split(), "--no-drain")
    assert code == 0, err
    assert len(account.rows()) == 13_884


def documented(file: str) -> list[list[str]]:
    """Return the arguments of the replays of `file` that the documents have a command for."""
    found = {command for document in documents() for command in commands(document) if " -m producer replay " in command}
    return sorted(command.partition(" replay ")[2].split() for command in found if f"data/{file}" in command)


@pytest.mark.parametrize(
    "file", sorted(path.name for path in (ROOT / "data").iterdir() if path.name not in {"DATA.md", "SHA256SUMS"})
)
def test_every_file_in_data_replays_by_a_documented_command(file: str, account: Account, runs: Runs) -> None:
    chosen = [arguments for arguments in documented(file) if "max" in arguments]
    assert chosen, f"no document has a command that replays data/{file} at --speed max"
    code, _, err = runs.finish(*chosen[0], "--no-drain")
    assert code == 0, err
    assert len(account.rows()) > 3000


@pytest.mark.parametrize("clock", ["event", "wall"])
def test_kill_9_at_random_moments_and_resume_loses_and_doubles_nothing(
    account: Account, runs: Runs, clock: str
) -> None:
    url = account.upload("in.csv.gz", gzip.compress(csv_text(ROWS[:3000])))
    arguments = [url, "--clock", clock, "--resume", "--no-drain"]
    chance = random.Random(7)
    reached = 0
    for _ in range(3):
        process = runs.start(*arguments, "--rate", "100")
        goal = reached + chance.randrange(50, 250)
        wait_until(lambda goal=goal: len(account.rows()) >= goal, 60, "rows in the stream")  # type: ignore[misc] # bound
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        reached = len(account.rows())
        assert reached < 3000
    code, _, err = runs.finish(*arguments, "--speed", "max")
    assert code == 0, err
    ids = Counter(each["event_id"] for each in account.rows())
    assert (len(ids), set(ids.values())) == (3000, {1})


def test_kinesis_that_does_not_answer_for_a_while_costs_no_row_and_doubles_none(account: Account, runs: Runs) -> None:
    url = account.upload("in.csv", csv_text(ROWS))
    process = runs.start(url, "--rate", "300", "--clock", "event", "--no-drain")
    wait_until(lambda: len(account.rows()) > 500, 60, "rows in the stream")
    account.aws.pause()
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6)  # it must wait, not end
    finally:
        account.aws.resume()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    ids = Counter(each["event_id"] for each in account.rows())
    assert (len(ids), set(ids.values())) == (len(ROWS), {1})


def test_a_request_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(account: Account, runs: Runs) -> None:
    url = account.upload("in.csv", csv_text(ROWS))
    runs.env["PRODUCER_REQUEST_TIMEOUT_S"] = "1"
    process = runs.start(url, "--rate", "400", "--clock", "event", "--no-drain")
    for goal in (500, 2000):
        wait_until(lambda goal=goal: len(account.rows()) > goal, 60, "rows in the stream")  # type: ignore[misc] # bound
        account.aws.pause()
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
        finally:
            account.aws.resume()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "lost_answer_checked" in err
    ids = Counter(each["event_id"] for each in account.rows())
    assert (len(ids), set(ids.values())) == (len(ROWS), {1})


def test_a_profile_that_does_not_exist_is_said_in_a_line(runs: Runs) -> None:
    runs.env["AWS_PROFILE"] = "nobody"
    code, _, err = runs.finish("x.csv")
    assert (code, err.strip()) == (
        1,
        "producer: AWS cannot be used from here: The config profile (nobody) could not be found",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["/no/such/file.csv"], 1, "cannot be read"),
        (["s3://no-such-bucket/x.csv"], 1, "cannot be read"),
        (["x.csv", "--speed", "max", "--rate", "5"], 2, "one of pace, rate and speed"),
        (["x.csv", "--pace", "soon"], 2, "not a span"),
        (["x.csv", "--clock", "sun"], 2, "clock"),
        (["x.csv", "--speed", "fast"], 2, "--speed: Input should be"),
        (["x.csv", "--anchor", "end"], 2, "event clock"),
        (["data/rees46_cosmetics_4months.csv.gz", "--rate", "500"], 1, "--key user_id"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_without_a_traceback(
    runs: Runs, arguments: list[str], code: int, told: str
) -> None:
    returned, _, err = runs.finish(*arguments)
    assert returned == code
    assert told in " ".join(err.split())
    assert "Traceback" not in err
