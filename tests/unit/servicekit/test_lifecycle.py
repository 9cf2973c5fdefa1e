import signal
import socket

import httpx
import pytest

from tests.unit.servicekit.processes import run_sample, sample

STOPS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("uvloop", ["false", "true"])
@pytest.mark.parametrize("stop", STOPS)
def test_a_signal_lets_the_service_finish_and_exit_with_0(stop: signal.Signals, uvloop: str) -> None:
    with sample(uvloop=uvloop) as running:
        running.wait_for("http_listening")
        running.send(stop)
        assert running.wait_for("stopping")["signal"] == stop.name
        running.wait_for("drained")
        assert running.end() == 0


@pytest.mark.parametrize("uvloop", ["false", "true"])
def test_the_operations_page_still_answers_while_the_service_drains(uvloop: str) -> None:
    with sample(behaviour="ignore_stop", uvloop=uvloop) as running:
        url = running.wait_for("http_listening")["url"]
        running.send(signal.SIGTERM)
        running.wait_for("stopping")
        assert httpx.get(f"{url}/health/live").status_code == 200


@pytest.mark.parametrize("uvloop", ["false", "true"])
@pytest.mark.parametrize("second", STOPS)
def test_a_second_signal_ends_a_service_that_does_not_stop(second: signal.Signals, uvloop: str) -> None:
    with sample(behaviour="ignore_stop", uvloop=uvloop) as running:
        running.wait_for("http_listening")
        running.send(signal.SIGTERM)
        running.wait_for("stopping")
        running.send(second)
        assert running.end() == -second


def test_a_second_signal_ends_even_a_loop_that_is_stuck() -> None:
    with sample(behaviour="hang") as running:
        running.wait_for("hanging")
        while running.process.poll() is None:
            running.send(signal.SIGTERM)
        assert running.end() == -signal.SIGTERM


def test_an_open_connection_does_not_hold_up_the_stop() -> None:
    with sample() as running, httpx.Client() as browser:
        browser.get(running.wait_for("http_listening")["url"])
        running.send(signal.SIGTERM)
        assert running.end() == 0


def test_a_service_that_has_finished_exits_with_0() -> None:
    assert run_sample(behaviour="finish")[0] == 0


@pytest.mark.parametrize("behaviour", ["crash", "crash_twice"])
def test_a_crash_is_one_error_line_and_exit_code_1(behaviour: str) -> None:
    code, lines, stdout = run_sample(behaviour=behaviour)
    errors = [line for line in lines if line["level"] == "error"]
    assert (code, stdout) == (1, "")
    assert [line["event"] for line in errors] == ["service_crashed"]
    assert errors[0]["exception"][0]["exc_type"] == "LookupError"
    assert "hunter2" not in str(lines)


def test_a_taken_port_is_named_with_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines, stdout = run_sample(port=str(port))
    assert (code, stdout) == (1, "")
    assert [line["event"] for line in lines] == ["cannot_listen"]
    assert f"port {port} is taken" in lines[0]["reason"]
    assert "SAMPLE_PORT" in lines[0]["advice"]


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_told_with_the_setting_to_change(host: str) -> None:
    code, lines, _ = run_sample(host=host)
    assert code == 1
    assert "SAMPLE_HOST" in lines[0]["advice"]


def test_uvicorn_writes_nothing_of_its_own() -> None:
    _, lines, _ = run_sample(behaviour="finish")
    assert {line["event"] for line in lines} <= {"http_listening"}


def test_a_wrong_setting_ends_the_service_with_2_before_anything_starts() -> None:
    with sample(port="many") as running:
        _, told = running.process.communicate(timeout=20)
        assert running.end() == 2
    assert "SAMPLE_PORT='many'" in told
