"""`make up`, `make status`, `make logs`, `make down`, and a replay over HTTP in between."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.processes import recall
from tests.emulator import ROOT, free_port, start_group, stop_group, wait_until
from tests.observed import RAW_BUCKET

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]


class Platform:
    """What `make up` started, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: free_port() for name in ("emulator", "producer", "windower", "detector")}
        ports = {f"LOCAL_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        self.run_dir = folder / "run"
        self.environment = os.environ | ports | {"LOCAL_RUN_DIR": str(self.run_dir)}

    def make(self, *targets: str, timeout_s: float = 240) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own Makefile
            ["make", *targets],  # noqa: S607 - make is on the path
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def call(self, service: str, path: str, body: object = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 - our own address
                text = reply.read().decode()
                return reply.status, json.loads(text) if "json" in reply.headers["Content-Type"] else text
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("up"))
    try:
        started = made.make("up")
        assert started.returncode == 0, started.stdout[-2000:] + started.stderr[-2000:]
        yield made
    finally:
        assert made.make("down").returncode == 0


def test_each_service_shows_its_pages(platform: Platform) -> None:
    for service in ("producer", "windower", "detector"):
        for path in ("/docs", "/health", "/health/live", "/metrics", "/openapi.json"):
            assert platform.call(service, path)[0] == 200, (service, path)
    status = platform.make("status")
    assert status.returncode == 0
    assert all(f"http://127.0.0.1:{port}" in status.stdout for port in platform.ports.values())


def test_a_replay_over_http_reaches_the_windower_and_a_second_one_meanwhile_is_refused(platform: Platform) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{platform.ports['emulator']}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator takes any
    )
    s3.upload_file(str(ROOT / "data" / "rees46_multicategory_2019-10-01.csv.gz"), RAW_BUCKET, "raw/oct.csv.gz")
    options = {"sources": [f"s3://{RAW_BUCKET}/raw/oct.csv.gz"], "rate": 300}
    code, replay = platform.call("producer", "/replays", options)
    assert code == 201, replay
    assert platform.call("producer", "/replays", options)[0] == 409
    wait_until(
        lambda: 'windower_records_total{outcome="counted"}' in platform.call("windower", "/metrics")[1], 60, "counts"
    )
    stop = urllib.request.Request(
        f"http://127.0.0.1:{platform.ports['producer']}/replays/{replay['replay_id']}", method="DELETE"
    )
    with urllib.request.urlopen(stop, timeout=20) as reply:  # noqa: S310 - our own address
        assert reply.status == 202
    wait_until(
        lambda: platform.call("producer", f"/replays/{replay['replay_id']}")[1]["phase"] == "stopped", 60, "stopped"
    )
    for outside in ("/etc/passwd", "s3://another-bucket/key"):
        code, refused = platform.call("producer", "/replays", {"sources": [outside], "rate": 300})
        assert code == 201, refused
        wait_until(partial(has_failed, platform, f"/replays/{refused['replay_id']}"), 60, f"{outside}: failed")


def has_failed(platform: Platform, path: str) -> bool:
    replay = platform.call("producer", path)[1]
    return bool(replay["phase"] == "failed" and "not in the raw bucket" in replay["error"])


def test_logs_show_every_service(platform: Platform, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    follow = start_group(["make", "logs"], shown, platform.environment)
    try:
        services = {"supervisor", "emulator", "deploy", "firehose", "producer", "windower", "detector"}
        wait_until(lambda: services <= {line.split(" ", 1)[0] for line in shown.read_text().splitlines()}, 60, "all")
    finally:
        stop_group(follow, signal.SIGTERM)


def test_all_work_again_when_the_account_was_killed(platform: Platform) -> None:
    services = ("deploy", "firehose", "producer", "windower", "detector")
    os.kill(int((platform.run_dir / "emulator.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: all(has_started_again(platform, name) for name in services), 120, "all again")
    wait_until(lambda: platform.make("status").returncode == 0, 120, "all ready")


def has_started_again(platform: Platform, name: str) -> bool:
    record = recall(platform.run_dir, name)
    return record is not None and record.restarts > 0
