"""Ending everything an `up` started, also when its supervisor is gone."""

from pathlib import Path
from typing import Final

from local import processes

SUPERVISOR: Final = "supervisor"
SUPERVISOR_GRACE: Final = 90.0  # more than the slowest service and the emulator after it
ORPHAN_GRACE: Final = 10.0


def down(run_dir: Path) -> bool:
    """End the supervisor, which ends its services, then whatever it left; return whether anything ran."""
    supervisor = processes.recall(run_dir, SUPERVISOR)
    ran = supervisor is not None and supervisor.is_alive()
    if supervisor is not None:
        processes.end_groups([(supervisor, SUPERVISOR_GRACE)])
        processes.forget(run_dir, SUPERVISOR)
    return end_orphans(run_dir) or ran


def end_orphans(run_dir: Path) -> bool:
    """End the services whose supervisor was killed; return whether there were any."""
    left = processes.recall_all(run_dir)
    alive = {name: record for name, record in left.items() if record.is_alive()}
    processes.end_groups((record, ORPHAN_GRACE) for record in alive.values())
    for name in left:
        processes.forget(run_dir, name)
    return bool(alive)
