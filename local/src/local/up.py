"""Starting everything, and waiting until it works."""

import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from local import flink, java, preflight, processes, services, settings
from local.down import SUPERVISOR, down, end_orphans
from local.errors import LocalError
from local.services import Service, log_file
from local.settings import LocalSettings
from local.status import Status, status_of

READY_WITHIN: Final = 120.0
RESTARTS_ALLOWED: Final = 3
LOG_LINES_SHOWN: Final = 5

Watch = Callable[[Sequence[Status]], None]


def chosen_services(chosen: LocalSettings, only: Collection[str]) -> tuple[Service, ...]:
    """Return the services to run: all, or those named in `only`, with the Java that the detector needs.

    Raises:
        LocalError: when a name is unknown, or the detector is wanted and no Java is there.
    """
    names = {service.name for service in services.table(chosen, {})}
    require_known(only, names)
    wanted = set(only) or names
    runtime = java_environment(chosen) if wanted & {"detector", "flink"} else {}
    return tuple(service for service in services.table(chosen, runtime) if service.name in wanted)


def require_known(only: Collection[str], names: Collection[str]) -> None:
    """Do nothing when each of `only` is one of `names`.

    Raises:
        LocalError: naming those that are not, and those there are.
    """
    if unknown := set(only) - set(names):
        message = f"No service is called {', '.join(sorted(unknown))}. There are: {', '.join(sorted(names))}."
        raise LocalError(message)


def java_environment(chosen: LocalSettings) -> dict[str, str]:
    """Return the variables that lead the detector to a Java runtime."""
    path = settings.search_path()
    return java.find(chosen.java_home, path).environment(path)


def check_machine(wanted: Sequence[Service], chosen: LocalSettings) -> None:
    """Do nothing when this machine can run `wanted`.

    Raises:
        LocalError: naming the first thing that is missing.
    """
    if chosen.engine == "flink":
        flink.require()
    for service in wanted:
        preflight.require_python(Path(service.command[0]))
    preflight.require_disk(settings.ROOT)
    preflight.require_memory()
    ports = {"emulator": chosen.emulator_port, **chosen.service_ports()}
    preflight.require_ports({s.name: ports[s.name] for s in wanted if s.name in ports})


def up(chosen: LocalSettings, only: Collection[str], watch: Watch, *, within: float = READY_WITHIN) -> list[Status]:
    """Start the services unless they run already, and return when each is ready.

    Args:
        chosen: where everything listens and lives.
        only: names of the services; all when empty.
        watch: called with the state of each, several times a second.
        within: seconds until all must be ready.

    Raises:
        LocalError: when the machine lacks something, or a service does not get ready. Then nothing is left running
            that was started here, and what ran before is left as it was.
    """
    wanted = chosen_services(chosen, only)
    ran = is_up(chosen.run_dir)
    if not ran:
        end_orphans(chosen.run_dir)
        check_machine(wanted, chosen)
        start_supervisor(chosen, only)
    try:
        return wait_until_ready(wanted, chosen.run_dir, watch, within=within)
    except BaseException:
        if not ran:
            down(chosen.run_dir)
        raise


def is_up(run_dir: Path) -> bool:
    """Say whether a supervisor runs."""
    supervisor = processes.recall(run_dir, SUPERVISOR)
    return supervisor is not None and supervisor.is_alive()


def start_supervisor(chosen: LocalSettings, only: Collection[str]) -> None:
    """Start the supervisor as a process that outlives this one, with empty logs."""
    chosen.run_dir.mkdir(parents=True, exist_ok=True)
    for old in chosen.run_dir.glob("*.log"):
        old.unlink()
    command = (str(services.LOCAL_PYTHON), "-m", "local", "supervise", *(f"--only={name}" for name in sorted(only)))
    supervisor = Service(name=SUPERVISOR, command=command, environment=chosen.as_environment())
    process: subprocess.Popen[bytes] = processes.spawn(supervisor, chosen.run_dir)
    processes.remember(chosen.run_dir, SUPERVISOR, process.pid)
    process.returncode = 0  # never waited for here: it outlives us


def wait_until_ready(wanted: Sequence[Service], run_dir: Path, watch: Watch, *, within: float) -> list[Status]:
    """Return the state of each service when all are ready.

    Raises:
        LocalError: naming what is not, why, and the end of its log.
    """
    deadline = time.monotonic() + within
    while True:
        now = list(status_of(wanted, run_dir))
        watch(now)
        late = [status for status in now if not status.is_ready]
        if not late:
            return now
        failing = [status for status in late if status.record and status.record.restarts >= RESTARTS_ALLOWED]
        if failing or not is_up(run_dir) or time.monotonic() >= deadline:
            raise LocalError(not_ready(failing or late, run_dir))
        time.sleep(0.2)


def not_ready(late: Sequence[Status], run_dir: Path) -> str:
    """Return what to tell about services that did not get ready."""
    if not is_up(run_dir):
        return f"The supervisor ended.\n{log_end(run_dir, SUPERVISOR)}"
    lines = [
        f"The {status.service.name} did not get ready ({status.detail or status.state}).\n"
        f"{log_end(run_dir, status.service.name)}"
        for status in late
    ]
    return "\n".join(lines)


def log_end(run_dir: Path, name: str) -> str:
    """Return the last lines of a service's log, indented, under its path."""
    file = log_file(run_dir, name)
    lines = file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:] if file.exists() else []
    return "\n".join([f"  {file} ends with:" if lines else f"  {file} is empty", *(f"    {line}" for line in lines)])


def describe(status: Status) -> str:
    """Return the state of a service in a few words, with what is wrong."""
    return f"{status.state}: {status.detail}" if status.detail else status.state
