"""ministack, bound to this machine only unless told otherwise, with the repairs it needs."""

import asyncio
import importlib
import resource
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from local import health, ports, repairs
from local.deadlines import wait_until
from local.settings import HERE, configure_process, endpoint_url

HEALTH_PATH: Final = "/_ministack/health"
READY_WITHIN: Final = 30.0
REMEDY: Final = "Stop it (`make down` when it is an earlier run), or choose another port with LOCAL_EMULATOR_PORT."


def environment(*, host: str, port: int, state_dir: Path, persist: bool) -> dict[str, str]:
    """Return the emulator's configuration; by default it would bind every interface and open an MQTT port."""
    return {
        "AUTH": "false",
        "BIND_HOST": host,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOCALSTACK_PERSISTENCE": "1" if persist else "0",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1" if persist else "0",
        "S3_DATA_DIR": str(state_dir / "s3"),
        "S3_PERSIST": "1" if persist else "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(state_dir),
        "USE_SSL": "0",
    }


def wait_until_healthy(endpoint_url: str, *, within: float = READY_WITHIN) -> None:
    """Return when the emulator answers.

    Raises:
        LocalError: when it does not within `within` seconds.
    """
    wait_until(
        lambda: health.answers(endpoint_url + HEALTH_PATH),
        within=within,
        what=f"the emulator at {endpoint_url} does not answer",
    )


def serve(*, port: int, state_dir: Path, persist: bool, ready: Callable[[str], None], host: str = HERE) -> None:
    """Run the emulator in this process until SIGTERM or SIGINT.

    Args:
        port: where it listens.
        state_dir: where it keeps its files.
        persist: write all state to `state_dir` on a clean stop and read it again on the next start.
        ready: called once with the address on this machine, from another thread, when it answers.
        host: the address it listens on; 127.0.0.1 keeps other machines out.

    Raises:
        LocalError: when the port is taken or the installed emulator is not the one we repair.
    """
    repairs.assert_version()
    ports.require_free(port, needed_by="the emulator", remedy=REMEDY)
    if persist:
        state_dir.mkdir(parents=True, exist_ok=True)
    configure_process(environment(host=host, port=port, state_dir=state_dir, persist=persist))
    repairs.keep_connections()
    repairs.expire_only_expired()
    threading.Thread(target=announce, args=(endpoint_url(port), ready), daemon=True).start()
    run_server(host, port)


def announce(endpoint_url: str, ready: Callable[[str], None]) -> None:
    """Call `ready` when the emulator answers."""
    wait_until_healthy(endpoint_url)
    ready(endpoint_url)


def run_server(host: str, port: int) -> None:
    """Serve HTTP/1.1 and, for the KCL, HTTP/2 without TLS, until a signal.

    Imported here and by name: the emulator reads its environment when imported, and no other environment has it.
    """
    hypercorn: Any = importlib.import_module("hypercorn.config")
    ministack: Any = importlib.import_module("ministack.app")
    server: Any = importlib.import_module("hypercorn.asyncio")
    allow_many_connections()
    config = hypercorn.Config()
    config.bind = [f"{host}:{port}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(server.serve(ministack.app, config))


def allow_many_connections() -> None:
    """Raise the limit of open files as far as the system lets this process: each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
