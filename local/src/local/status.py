"""How each service is right now."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local import health
from local.processes import ProcessRecord, recall
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
    return tuple(look(service, recall(run_dir, service.name)) for service in services)


def look(service: Service, record: ProcessRecord | None) -> Status:
    """Return how one service is, given what is written about its process."""
    if record is None:
        return Status(service=service, state="not running")
    if record.done:
        return Status(service=service, state="done", record=record)
    if not record.is_alive():
        return Status(service=service, state="not running", detail=last_end(record), record=record)
    if service.once:
        return Status(service=service, state="not ready", detail="working", record=record)
    problem = health.problem(service.health_url) if service.health_url else None
    return Status(service=service, state="not ready" if problem else "ready", detail=problem or "", record=record)


def last_end(record: ProcessRecord) -> str:
    """Say how often it was started again."""
    return f"ended, started again {record.restarts} times" if record.restarts else "ended"
