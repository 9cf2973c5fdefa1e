"""The services at work, and each call that they make held against what their roles allow."""

import fnmatch
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from storepulse.activity.counts import encode_count
from tests.builders import window_count
from tests.emulator import ROOT, Emulator, wait_until
from tests.infra import recording
from tests.infra.test_roles import MAY
from tests.infra.wiring import SETTINGS
from tests.processes import ServiceProcess

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(300)]

LOCAL_PYTHON = ROOT / "local" / ".venv" / "bin" / "python"
BUCKET, QUEUE = "storepulse-raw-local-000000000000", "storepulse-bad-events-local"
STREAMS = [f"ecommerce-raw-user-activity-stream-{number}" for number in (1, 2)]
LARGE = b"\xff" * 400_000
WIRING = {
    "producer": {"PRODUCER_RAW_BUCKET": BUCKET, "PRODUCER_BAD_EVENTS_QUEUE": QUEUE},
    "windower": {
        "WINDOWER_BAD_EVENTS_QUEUE": QUEUE,
        "WINDOWER_BAD_EVENTS_BUCKET": BUCKET,
        "WINDOWER_METRICS_INTERVAL": "1",
    },
    "detector": {},
}
DOCUMENTED = "AWS's documentation of the KCL asks for it; short runs of one worker do not"
NEVER_SEEN: dict[str, dict[str, str]] = {
    "producer": {},
    "windower": {"dynamodb:DeleteItem windower": "a lease is forgotten once its shard has ended"},
    "detector": {
        "dynamodb:DeleteItem detector": "a lease is deleted once its shard has ended",
        "dynamodb:DeleteItem detector-WorkerMetricStats": "a worker that is gone is deleted after hours",
        "dynamodb:GetItem detector-WorkerMetricStats": DOCUMENTED,
        "dynamodb:PutItem detector-WorkerMetricStats": DOCUMENTED,
        "dynamodb:Scan detector-CoordinatorState": DOCUMENTED,
        "dynamodb:UpdateItem detector-CoordinatorState": "the leader's lock is renewed later",
        "kinesis:DescribeStream ecommerce-raw-user-activity-stream-2": DOCUMENTED,
    },
}
"""Actions that a minute of work may not need, and a longer life does."""


class RecordingEmulator(Emulator):
    """Writes each call to `calls`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.calls = folder / "calls.jsonl"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = recording.start(
                LOCAL_PYTHON,
                self.port,
                self._state / "state",
                self.calls,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self.process_env,
                start_new_session=True,
            )
        wait_until(self._answers, 60, f"the emulator on {self.url}, log {self.log}")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, set[tuple[str, str]]]]:
    """What each service has asked of AWS in a life from its first start to its end."""
    folder = tmp_path_factory.mktemp("roles")
    with RecordingEmulator(folder) as emulator:
        deploy = [str(LOCAL_PYTHON), "-m", "local", "deploy", "--port", str(emulator.port)]
        subprocess.run(deploy, cwd=ROOT, env=emulator.process_env, check=True, capture_output=True)  # noqa: S603 - ours
        services = {
            name: ServiceProcess(name, emulator.process_env | WIRING[name] | {"AWS_ACCESS_KEY_ID": name}, folder)
            for name in SETTINGS
        }
        try:
            for service in services.values():
                service.start()
            for service in services.values():
                service.until_ready()
            work(emulator, services["producer"])
            for service in services.values():
                service.until_ready()  # once more: each check by now
                service.terminate()
        finally:
            for service in services.values():
                service.stop()
        yield {name: recording.recorded(emulator.calls, name) for name in SETTINGS}


def work(emulator: Emulator, producer: ServiceProcess) -> None:
    """Replay with labels, stop and resume; a bot; records that nobody can read, small and large, at every service."""
    kinesis, s3 = emulator.client("kinesis"), emulator.client("s3")
    for stream in STREAMS:
        for data in (b"no JSON", LARGE):
            kinesis.put_record(StreamName=stream, PartitionKey="1", Data=data)
    kinesis.put_record(StreamName=STREAMS[1], PartitionKey="1", Data=encode_count(window_count(kind="early")))
    s3.put_object(Bucket=BUCKET, Key="raw/rows.csv", Body=rows())
    with httpx.Client(base_url=producer.url, timeout=20) as http:
        source = {"sources": [f"s3://{BUCKET}/raw/"]}
        interrupted = http.post("/replays", json=source | {"rate": 20, "drain": False}).json()["replay_id"]
        wait_until(lambda: http.get(f"/replays/{interrupted}").json()["sent"], 30, "a row sent")
        http.delete(f"/replays/{interrupted}")
        until(http, interrupted, "stopped")
        http.post(f"/replays/{interrupted}/resume")
        until(http, interrupted, "finished")
        whole = source | {"clock": "event", "speed": "max", "labels": f"s3://{BUCKET}/labels/rows.json"}
        until(http, http.post("/replays", json=whole).json()["replay_id"], "finished")
    until_detected(emulator)


def until(http: httpx.Client, replay: str, phase: str) -> None:
    """Wait for a replay to be in `phase`."""
    wait_until(lambda: http.get(f"/replays/{replay}").json()["phase"] == phase, 90, f"{replay} {phase}", 0.2)


def until_detected(emulator: Emulator) -> None:
    """Wait for a final count, a published alert, and a bad event of each service that was too large for a message."""
    dynamodb, s3 = emulator.client("dynamodb"), emulator.client("s3")

    def values(table: str, field: str) -> set[str]:
        return {item[field]["S"] for item in dynamodb.scan(TableName=table)["Items"] if field in item}

    wait_until(lambda: "final" in values("storepulse-user-actions-local", "kind"), 90, "a final count", 0.5)
    wait_until(lambda: "published" in values("storepulse-alerts-local", "status"), 90, "an alert", 0.5)
    wait_until(
        lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="bad-events/")["KeyCount"] >= len(SETTINGS), 60, "in S3", 0.5
    )


def rows() -> bytes:
    """Return a file in which one user acts 30 times in a window, one row is no event and another none and large."""
    header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
    row = "2019-10-01 00:00:{:02},view,1,2,,b,1.00,42,s"
    good = [row.format(second).replace(",view", " UTC,view") for second in [*range(30), *range(30)]]
    return "\n".join([header, *good, "nonsense", f"nonsense,{'x' * 400_000}", ""]).encode()


def here(resource: str) -> str:
    """Return a name of the emulator as the deployment `test` has it."""
    return resource.replace("-local", "-test").replace("000000000000", "111111111111")


def allowed(service: str) -> set[tuple[str, str]]:
    """Return what a role allows: each action, and the end of what it is on."""
    return {
        (f"{arn.partition(':')[0] if arn != '*' else 'cloudwatch'}:{action}", name_in(arn))
        for arn, actions in MAY[service].items()
        for action in actions.split()
    }


def name_in(arn: str) -> str:
    """Return `stream-1` for `kinesis:...:stream/stream-1`; what is behind a table's name stays."""
    return arn.rpartition(":")[2].removeprefix("stream/").removeprefix("table/")


def covers(grant: tuple[str, str], call: tuple[str, str]) -> bool:
    """Say whether a call needs no more than `grant`; some calls do not say what they are on."""
    return grant[0] == call[0] and (not call[1] or fnmatch.fnmatchcase(here(call[1]), grant[1]))


@pytest.mark.parametrize("service", SETTINGS)
def test_a_role_allows_every_call_of_its_service(calls: Mapping[str, set[tuple[str, str]]], service: str) -> None:
    assert calls[service]
    refused = [call for call in sorted(calls[service]) if not any(covers(grant, call) for grant in allowed(service))]
    assert refused == []


@pytest.mark.parametrize("service", SETTINGS)
def test_a_role_allows_nothing_that_its_service_never_asks_for(
    calls: Mapping[str, set[tuple[str, str]]], service: str
) -> None:
    unused = [grant for grant in sorted(allowed(service)) if not any(covers(grant, call) for call in calls[service])]
    assert {f"{action} {on}" for action, on in unused} <= NEVER_SEEN[service].keys()
