"""Which processes make the platform on this machine, in the order they start, and what each is told.

The variables here are the wiring only (ports, names, addresses); any other setting of a service is inherited from the
environment of `make up`, so that `DETECTOR_LIMIT=20 make up` works.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local import flink, settings
from local.account import ACCOUNT, REGION, environment
from local.emulator import HEALTH_PATH
from local.settings import ROOT, LocalSettings

WORKSPACE_PYTHON: Final = ROOT / ".venv" / "bin" / "python"
LOCAL_PYTHON: Final = ROOT / "local" / ".venv" / "bin" / "python"
ENV_NAME: Final = "local"
KCL_GRACE: Final = 50.0  # seconds; it takes up to 40 to end well
BAD_EVENTS_QUEUE: Final = f"storepulse-bad-events-{ENV_NAME}"
RAW_BUCKET: Final = f"storepulse-raw-{ENV_NAME}-{ACCOUNT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process that is kept running, or one task that must have ended well.

    Attributes:
        name: also of its log and pid file.
        command: run from the repository.
        environment: over the inherited one.
        needs: what must be ready before it starts.
        health_url: answers 200 when it is ready.
        ready_when: is in its log when it is ready; a process with neither is ready when it runs.
        address: where it listens.
        has_pages: /docs, /health and /metrics are there.
        once: a task: ready when it has ended with exit code 0; when it is done again, what needs it starts again.
        grace: seconds between SIGTERM and SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    health_url: str | None = None
    ready_when: str | None = None
    address: str | None = None
    has_pages: bool = False
    once: bool = False
    grace: float = 20.0


def table(chosen: LocalSettings, java: Mapping[str, str]) -> tuple[Service, ...]:
    """Return every process; `java` are the variables that lead those that need it to their Java runtime."""
    return (
        emulator(chosen),
        local_service("deploy", needs=("emulator",), chosen=chosen, once=True),
        local_service("firehose", needs=("deploy",), chosen=chosen, ready_when='"event": "archiving"'),
        *engine(chosen, java),
        worker("detector", chosen, {**detector_settings(chosen), **java}, grace=KCL_GRACE),
        worker("producer", chosen, producer_settings()),
    )


def engine(chosen: LocalSettings, java: Mapping[str, str]) -> tuple[Service, ...]:
    """Return what counts the windows: the windower, or the Flink job and the pipe of its bad events."""
    if chosen.engine == "windower":
        return (worker("windower", chosen, windower_settings()),)
    return (
        local_service("pipe", needs=("deploy",), chosen=chosen, ready_when='"event": "piping"'),
        local_service("flink", needs=("deploy", "pipe"), chosen=chosen, ready_when=flink.READING, more=java),
    )


def emulator(chosen: LocalSettings) -> Service:
    """Return the emulated AWS."""
    return Service(
        name="emulator",
        command=(str(LOCAL_PYTHON), "-m", "local", "emulator"),
        environment=chosen.as_environment(),
        health_url=chosen.endpoint_url + HEALTH_PATH,
        address=chosen.endpoint_url,
    )


def local_service(
    name: str,
    *,
    needs: tuple[str, ...],
    chosen: LocalSettings,
    once: bool = False,
    ready_when: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Service:
    """Return a process of this package, called like its command."""
    return Service(
        name=name,
        command=(str(LOCAL_PYTHON), "-m", "local", name),
        environment={**chosen.as_environment(), **(more or {})},
        needs=needs,
        once=once,
        ready_when=ready_when,
    )


def worker(name: str, chosen: LocalSettings, wiring: Mapping[str, str], *, grace: float = 20.0) -> Service:
    """Return one of `services/`, which has an operations page."""
    port = chosen.service_ports()[name]
    address = f"http://127.0.0.1:{port}"
    prefix = name.upper()
    return Service(
        name=name,
        command=(str(WORKSPACE_PYTHON), "-m", name),
        environment={
            **environment(chosen.endpoint_url),
            f"{prefix}_HOST": "127.0.0.1",
            f"{prefix}_PORT": str(port),
            **wiring,
        },
        needs=("deploy",),
        health_url=f"{address}/health/ready",
        address=address,
        has_pages=True,
        grace=grace,
    )


def windower_settings() -> dict[str, str]:
    """Return the windower's wiring."""
    return {"WINDOWER_BAD_EVENTS_QUEUE": BAD_EVENTS_QUEUE, "WINDOWER_BAD_EVENTS_BUCKET": RAW_BUCKET}


def detector_settings(chosen: LocalSettings) -> dict[str, str]:
    """Return the detector's wiring."""
    return {
        "DETECTOR_RUN_DIR": str(chosen.run_dir / "detector"),
        "DETECTOR_COUNTS_TABLE": f"storepulse-user-actions-{ENV_NAME}",
        "DETECTOR_ALERTS_TABLE": f"storepulse-alerts-{ENV_NAME}",
        "DETECTOR_ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:storepulse-alerts-{ENV_NAME}",
        "DETECTOR_BAD_EVENTS_QUEUE": BAD_EVENTS_QUEUE,
        "DETECTOR_BAD_EVENTS_BUCKET": RAW_BUCKET,
    }


def producer_settings() -> dict[str, str]:
    """Return the producer's wiring."""
    return {"PRODUCER_RAW_BUCKET": RAW_BUCKET, "PRODUCER_BAD_EVENTS_QUEUE": BAD_EVENTS_QUEUE}


def child_environment(service: Service) -> dict[str, str]:
    """Return the whole environment of a service's process."""
    return settings.inherited_environment(service.environment)


def log_file(run_dir: Path, name: str) -> Path:
    """Return where the output of a service goes."""
    return run_dir / f"{name}.log"
