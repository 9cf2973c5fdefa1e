import os
import re
import socket
from pathlib import Path

import psutil
import pytest

from local import ports, preflight
from local.errors import LocalError
from tests.emulator import free_port


@pytest.fixture
def taken_port() -> "socket.socket":
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def test_a_free_port_is_not_complained_about() -> None:
    preflight.require_ports({"producer": free_port()})


def test_a_taken_port_is_named_with_its_process_and_the_variable_that_moves_ours(taken_port: socket.socket) -> None:
    with taken_port:
        port = taken_port.getsockname()[1]
        me = re.escape(f"{psutil.Process().name()} (process {os.getpid()})")
        expected = rf"^Port {port} is taken by {me}, but the producer needs it\. .*LOCAL_PRODUCER_PORT"
        with pytest.raises(LocalError, match=expected):
            preflight.require_ports({"emulator": free_port(), "producer": port})


def test_a_port_that_nobody_listens_on_is_free() -> None:
    assert not ports.is_taken(free_port())


def test_a_process_that_is_gone_is_named_by_its_number() -> None:
    assert ports.describe(2**22 + 1) == f"process {2**22 + 1}"


def test_a_nearly_full_disk_is_named_with_what_is_left(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=rf"nearly full: 1023 MiB are free at {tmp_path}, 1024 MiB are needed"):
        preflight.require_disk(tmp_path, free=1024 * preflight.MEBIBYTE - 1)


def test_a_gibibyte_of_disk_is_enough(tmp_path: Path) -> None:
    preflight.require_disk(tmp_path, free=1024 * preflight.MEBIBYTE)


def test_too_little_memory_is_named_with_what_is_left() -> None:
    with pytest.raises(LocalError, match="Too little memory: 500 MiB are available, 700 MiB are needed"):
        preflight.require_memory(available=500 * preflight.MEBIBYTE)


def test_what_the_system_says_about_disk_and_memory_is_understood(tmp_path: Path) -> None:
    preflight.require_disk(tmp_path)
    preflight.require_memory()


def test_a_missing_environment_is_named_with_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"missing: the environments are not set up\. Run `make setup`"):
        preflight.require_python(tmp_path / "python")


def test_every_message_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as raised:
        preflight.require_disk(tmp_path, free=0)
    assert "\n" not in str(raised.value)
