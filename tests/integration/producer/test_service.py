"""The producer as a service: replays over HTTP, one at a time, of the raw bucket alone."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storepulse.instants import parse_instant
from tests.emulator import Emulator, start_group, stop_group, wait_until
from tests.integration.producer.account import Account, command
from tests.unit.producer.builders import csv_text, row

pytestmark = pytest.mark.emulator
START_S = 60.0


class Service:
    """A producer that serves."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._log = account.folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(timeout=20)

    def start(self) -> None:
        self._log.write_bytes(b"")
        self._process = start_group(command([]), self._log, self.account.env)
        wait_until(lambda: "http_listening" in self._log.read_text(), START_S, "the service")
        (url,) = re.findall(r'"url": "(http://[^"]+)"', self._log.read_text())
        self.http.base_url = httpx.URL(url)
        wait_until(lambda: self.http.get("/health/ready").status_code == 200, START_S, "readiness")

    def kill(self) -> None:
        if self._process is not None:
            stop_group(self._process)

    def phase(self, replay_id: str) -> str:
        return str(self.http.get(f"/replays/{replay_id}").json()["phase"])

    def await_phase(self, replay_id: str, phase: str) -> None:
        wait_until(lambda: self.phase(replay_id) == phase, 60, f"phase {phase}")


@pytest.fixture
def service(aws: Emulator, tmp_path: Path) -> Iterator[Service]:
    running = Service(Account.create(aws, tmp_path))
    try:
        running.start()
        yield running
    finally:
        running.http.close()
        running.kill()


def test_replays_are_started_one_at_a_time_shown_stopped_and_resumed_also_after_a_kill(service: Service) -> None:
    rows = [row(n // 4, user=n) for n in range(1200)]
    url = service.account.upload("in.csv", csv_text(rows))
    body = {"sources": [url], "clock": "event", "speed": 20}
    started = service.http.post("/replays", json=body)
    assert started.status_code == 201
    replay_id = started.json()["replay_id"]
    refused = service.http.post("/replays", json=body)
    assert (refused.status_code, replay_id in refused.json()["detail"]) == (409, True)

    wait_until(lambda: service.http.get(f"/replays/{replay_id}").json()["confirmed"] > 100, 60, "progress")
    assert service.http.delete(f"/replays/{replay_id}").status_code == 202
    service.await_phase(replay_id, "stopped")

    assert service.http.post(f"/replays/{replay_id}/resume").status_code == 200
    sent = len(service.account.rows())
    wait_until(lambda: len(service.account.rows()) > sent + 100, 60, "rows of the resumed replay")
    service.kill()
    service.start()
    assert service.http.post(f"/replays/{replay_id}/resume").status_code == 200
    service.await_phase(replay_id, "finished")
    ids = Counter(each["event_id"] for each in service.account.rows())
    assert (len(ids), set(ids.values())) == (len(rows), {1})
    assert [each["replay_id"] for each in service.http.get("/replays").json()] == [replay_id]
    metrics = service.http.get("/metrics").text
    assert 'producer_records_total{outcome="sent"}' in metrics
    assert "producer_rows_total" in metrics

    highest = max(each["txn_timestamp"] for found in service.account.records().values() for each in found)
    second = service.http.post("/replays", json=body | {"speed": "max"}).json()["replay_id"]
    service.await_phase(second, "finished")
    new = sorted(each["txn_timestamp"] for each in service.account.rows())[-len(rows) :]
    assert parse_instant(new[0]) >= parse_instant(highest)


@pytest.mark.parametrize("source", ["/etc/passwd", "file:///etc/passwd", "s3://another-bucket/x.csv", "../x"])
def test_nothing_but_the_raw_bucket_is_read(service: Service, source: str) -> None:
    for given in ({"sources": [source]}, {"sources": [f"s3://{service.account.bucket}/x.csv"], "inject": source}):
        service.account.upload("x.csv", csv_text([row(0)]))
        replay_id = service.http.post("/replays", json=given | {"speed": "max"}).json()["replay_id"]
        service.await_phase(replay_id, "failed")
        assert "not in the raw bucket" in service.http.get(f"/replays/{replay_id}").json()["error"]
    assert service.account.rows() == []


def test_long_texts_from_outside_do_not_stop_the_service(service: Service) -> None:
    sources = [f"s3://{service.account.bucket}/" + str(n % 10) * 2000 for n in range(60)]
    started = service.http.post("/replays", json={"sources": sources}, timeout=5).json()["replay_id"]
    service.await_phase(started, "failed")
    assert service.http.get("/health/live", timeout=5).status_code == 200
    assert service.http.post("/replays", content=b" " * 1_000_000, timeout=5).status_code == 413


def test_what_is_not_valid_is_refused_with_a_reason(service: Service) -> None:
    url = f"s3://{service.account.bucket}/x.csv"
    bodies = [
        {},
        {"sources": []},
        {"sources": [url] * 101},
        {"sources": [url], "speed": 0},
        {"sources": [url], "speed": 1, "rate": 1},
        {"sources": [url], "pase": 1},
        {"sources": [url], "base": "2026-01-01T00:00:00"},
        {"sources": ["x" * 5000]},
    ]
    assert [service.http.post("/replays", json=body).status_code for body in bodies] == [422] * len(bodies)
    assert service.http.get("/replays/none").status_code == 404
    assert service.http.delete("/replays/none").status_code == 404
    assert service.http.post("/replays/none/resume").status_code == 404
    assert service.http.post("/replays/..%2Fin/resume").status_code in {404, 422}
    missing = service.http.post("/replays", json={"sources": [url]}).json()["replay_id"]
    service.await_phase(missing, "failed")
    assert "cannot be read" in service.http.get(f"/replays/{missing}").json()["error"]
    paths = service.http.get("/openapi.json").json()["paths"]
    assert {"/replays", "/replays/{replay_id}", "/health", "/metrics"} <= set(paths)
