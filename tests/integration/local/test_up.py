import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from local.health import answers
from local.processes import recall
from tests.emulator import stop_group, wait_until
from tests.integration.local.running import environment, local, one_line, only, start

pytestmark = pytest.mark.emulator

NAMES = ("emulator", "deploy", "firehose")


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An account of its own, ended with the test."""
    chosen = environment(tmp_path / "run")
    yield chosen
    assert local("down", env=chosen).returncode == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An account that is up, for tests that leave it so."""
    chosen = environment(tmp_path_factory.mktemp("up") / "run")
    started = local("up", *only(NAMES), env=chosen)
    try:
        assert started.returncode == 0, started.stderr
        yield chosen
    finally:
        assert local("down", env=chosen).returncode == 0


def processes(run_dir: str) -> list[psutil.Process]:
    """Return what runs with this run directory."""
    return [p for p in psutil.process_iter() if runs_in(p, run_dir)]


def runs_in(process: psutil.Process, run_dir: str) -> bool:
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get("LOCAL_RUN_DIR") == run_dir
    except psutil.Error:
        return False


def pid(env: dict[str, str], name: str) -> int:
    return int((Path(env["LOCAL_RUN_DIR"]) / f"{name}.pid").read_text())


def test_up_again_changes_nothing_and_shows_the_addresses(running: dict[str, str]) -> None:
    before = {name: pid(running, name) for name in ("supervisor", "emulator", "firehose")}
    again = local("up", *only(NAMES), env=running)
    assert again.returncode == 0
    assert f"http://127.0.0.1:{running['LOCAL_EMULATOR_PORT']}" in again.stdout
    assert {name: pid(running, name) for name in before} == before


def test_up_again_leaves_what_runs_when_it_is_told_to_end(running: dict[str, str], tmp_path: Path) -> None:
    before = {name: pid(running, name) for name in ("supervisor", "emulator", "firehose")}
    os.kill(before["emulator"], signal.SIGSTOP)  # it gets no reply, so it waits
    try:
        again = start("up", *only(NAMES), env=running, log=tmp_path / "log")
        wait_until(lambda: "emulator" in (tmp_path / "log").read_text(), 60, "a word of what it waits for")
        again.terminate()
        assert again.wait(60) == 128 + signal.SIGTERM
    finally:
        os.kill(before["emulator"], signal.SIGCONT)
    assert {name: pid(running, name) for name in before} == before
    assert all(psutil.pid_exists(number) for number in before.values())


def test_the_users_own_aws_profile_endpoints_and_proxy_are_nothing_to_the_account(running: dict[str, str]) -> None:
    elsewhere = "http://127.0.0.1:9"
    own = {"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL_CLOUDFORMATION": elsewhere, "http_proxy": elsewhere}
    for command in (("deploy",), ("up", *only(NAMES))):
        result = local(*command, env={**running, **own})
        assert result.returncode == 0, result.stderr


def test_a_killed_service_comes_back_and_the_logs_say_so(running: dict[str, str]) -> None:
    run_dir = Path(running["LOCAL_RUN_DIR"])
    os.kill(pid(running, "firehose"), signal.SIGKILL)
    wait_until(lambda: (r := recall(run_dir, "firehose")) and r.restarts == 1 and r.is_alive(), 30, "a restart")
    shown = local("logs", "--no-follow", env=running).stdout
    assert [line for line in shown.splitlines() if line.startswith("supervisor") and '"exit_code": -9' in line]


def test_down_leaves_nothing_running_and_again_is_fine(env: dict[str, str]) -> None:
    local("up", *only(NAMES), env=env)
    assert answers(f"http://127.0.0.1:{env['LOCAL_EMULATOR_PORT']}/_ministack/health")
    assert len(processes(env["LOCAL_RUN_DIR"])) == 3  # supervisor, emulator, firehose
    stopped = [local("down", env=env) for _ in range(2)]
    assert [(each.returncode, each.stdout) for each in stopped] == [(0, "stopped\n"), (0, "nothing was running\n")]
    assert processes(env["LOCAL_RUN_DIR"]) == []


def test_down_ends_the_services_of_a_supervisor_that_was_killed(env: dict[str, str]) -> None:
    local("up", *only(NAMES), env=env)
    os.kill(pid(env, "supervisor"), signal.SIGKILL)
    assert local("down", env=env).stdout == "stopped\n"
    assert processes(env["LOCAL_RUN_DIR"]) == []


def test_a_taken_port_is_one_line_and_nothing_is_started(env: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = local("up", *only(NAMES), env={**env, "LOCAL_EMULATOR_PORT": str(port)})
    assert result.returncode == 1
    assert one_line(result.stderr).startswith(f"Port {port} is taken by ")
    assert processes(env["LOCAL_RUN_DIR"]) == []


def test_a_service_that_never_gets_ready_is_named_with_the_end_of_its_log_and_nothing_is_left(
    env: dict[str, str],
) -> None:
    result = local("up", *only(("emulator", "firehose")), env=env)  # without deploy its stream does not exist
    assert result.returncode == 1
    assert "The firehose did not get ready" in result.stderr
    assert "Storepulse-Data-local is not deployed" in result.stderr
    assert processes(env["LOCAL_RUN_DIR"]) == []


def test_a_service_that_does_not_exist_is_refused_by_name(env: dict[str, str]) -> None:
    result = local("up", "--only", "windowr", env=env)
    assert (result.returncode, "No service is called windowr" in one_line(result.stderr)) == (1, True)


def test_status_tells_by_its_exit_code_whether_all_is_ready(env: dict[str, str]) -> None:
    result = local("status", env=env)
    assert result.returncode == 1
    assert "not running" in result.stdout


def test_the_logs_of_a_service_that_does_not_exist_are_refused_by_name(env: dict[str, str]) -> None:
    result = local("logs", "windowr", env=env)
    assert (result.returncode, "No service is called windowr" in one_line(result.stderr)) == (1, True)


def test_a_run_directory_that_cannot_be_made_is_one_line(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = {**env, "LOCAL_RUN_DIR": str(tmp_path / "file" / "run")}
    result = local("up", *only(NAMES), env=wrong)
    assert (result.returncode, str(tmp_path / "file") in one_line(result.stderr)) == (1, True)


@pytest.fixture
def terminal() -> Iterator[None]:
    """Have what is started end with its terminal, even if these tests do not (nohup)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_start_that_is_told_to_end_or_whose_terminal_is_closed_leaves_nothing_running(
    env: dict[str, str], tmp_path: Path, command: str, number: signal.Signals
) -> None:
    env |= {"TMPDIR": str(tmp_path)}
    process = start(command, env=env, log=tmp_path / "log")
    try:
        wait_until(lambda: below(str(tmp_path)), 60, "the supervisor or what it started")
        process.send_signal(number)
        assert process.wait(60) == 128 + number, (tmp_path / "log").read_text()
    finally:
        stop_group(process)
        left = below(str(tmp_path))
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    assert left == []


def below(folder: str) -> list[psutil.Process]:
    """Return the services that run with a run directory in `folder`."""
    return [process for process in psutil.process_iter() if is_below(process, folder)]


def is_below(process: psutil.Process, folder: str) -> bool:
    try:
        starts = "local" in process.cmdline() and {"up", "demo"} & set(process.cmdline())
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and not starts and process.environ().get("LOCAL_RUN_DIR", "").startswith(folder)
    except psutil.Error:
        return False
