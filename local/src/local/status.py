"""How each service is right now."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local import health
from local.processes import ProcessRecord, has_logged, recall
from local.services import Service

State = Literal["ready", "not ready", "not running", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One service at one moment; `detail` says what is wrong, when something is."""

    service: Service
    state: State
    detail: str = ""
    record: ProcessRecord | None = None

    @property
    def is_ready(self) -> bool:
        """Say whether it does its work, or has done it."""
        return self.state in {"ready", "done"}


def status_of(services: Iterable[Service], run_dir: Path) -> tuple[Status, ...]:
    """Return how each service is."""
    return tuple(look(service, recall(run_dir, service.name), run_dir) for service in services)


def look(service: Service, record: ProcessRecord | None, run_dir: Path) -> Status:
    """Return how one service is, given what is written about its process."""
    if record is None:
        return Status(service=service, state="not running")
    if record.done:
        return Status(service=service, state="done", record=record)
    if not record.is_alive():
        return Status(service=service, state="not running", detail=last_end(record), record=record)
    if service.once:
        return Status(service=service, state="not ready", detail="working", record=record)
    problem = what_is_missing(service, record, run_dir)
    return Status(service=service, state="not ready" if problem else "ready", detail=problem or "", record=record)


def what_is_missing(service: Service, record: ProcessRecord, run_dir: Path) -> str | None:
    """Return why a running service is not ready, or None."""
    if service.health_url:
        return health.problem(service.health_url)
    if service.ready_when and not has_logged(run_dir, service.name, service.ready_when, since=record.log_from):
        return "starting"
    return None


def last_end(record: ProcessRecord) -> str:
    """Say how often it was started again."""
    return f"ended, started again {record.restarts} times" if record.restarts else "ended"
