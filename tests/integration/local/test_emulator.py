import http.client
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from local.health import answers
from tests.emulator import Emulator, free_port, stop_group, wait_until
from tests.integration.local.running import environment, local, one_line, start

pytestmark = pytest.mark.emulator


@contextmanager
def emulator(folder: Path, *options: str, port: int) -> Iterator[int]:
    """Run an emulator; yield its process id."""
    log = folder / "emulator.log"
    log.unlink(missing_ok=True)
    process = start("emulator", "--port", str(port), *options, env=environment(folder), log=log)
    try:
        wait_until(lambda: "emulator ready at" in log.read_text(), 60, f"the emulator says that it is ready: {log}")
        yield process.pid
    finally:
        stop_group(process, signal.SIGTERM)


def sqs(port: int) -> Any:  # noqa: ANN401 - boto3's
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}", **keys)  # type: ignore[call-overload]  # any


def test_nothing_listens_beyond_this_machine(tmp_path: Path) -> None:
    port = free_port()
    with emulator(tmp_path, port=port) as pid:
        listening = [c.laddr for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", port)]


def test_it_says_that_it_is_ready_when_it_answers_and_not_before(tmp_path: Path) -> None:
    port = free_port()
    with emulator(tmp_path, port=port):
        assert answers(f"http://127.0.0.1:{port}/_ministack/health")


def test_a_taken_port_is_one_line_that_names_who_has_it(own_emulator: Emulator, tmp_path: Path) -> None:
    result = local("emulator", "--port", str(own_emulator.port), env=environment(tmp_path))
    assert result.returncode == 1
    assert one_line(result.stderr).startswith(f"Port {own_emulator.port} is taken by python")
    assert "LOCAL_EMULATOR_PORT" in result.stderr


def test_a_connection_outlives_a_thousand_requests(own_emulator: Emulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", own_emulator.port, timeout=10)
    connection.connect()
    socket = connection.sock
    for _ in range(1100):
        connection.request("GET", "/_ministack/health")
        connection.getresponse().read()
    assert connection.sock is socket
    connection.close()


@pytest.mark.parametrize(("options", "kept"), [((), False), (("--persist",), True)])
def test_state_is_kept_across_a_clean_stop_only_when_asked_for(
    tmp_path: Path, options: tuple[str, ...], *, kept: bool
) -> None:
    state = ("--state-dir", str(tmp_path / "state"))
    port = free_port()
    with emulator(tmp_path, *state, *options, port=port):
        sqs(port).create_queue(QueueName="remembered")
    with emulator(tmp_path, *state, *options, port=port):
        queues = sqs(port).list_queues().get("QueueUrls", [])
    assert bool(queues) is kept
