"""The detector's daemon with a child that does nothing: what the KCL alone can deliver. Part of detector_counts.py."""

import shlex
import sys
from pathlib import Path

from detector.app import build
from detector.kcl.children import registered
from detector.kcl.protocol import Checkpointer, Conversation, Initialize, Position, ProcessRecords
from detector.settings import DetectorSettings
from servicekit.api import build_api
from servicekit.lifecycle import run_service
from servicekit.logs import configure_logs, get_logger


class Nothing:
    """Counts records and checkpoints each batch."""

    def initialize(self, message: Initialize) -> None:
        """Say that records may come."""
        get_logger().info("shard_initialized", shard_id=message.shard_id)

    def process_records(self, message: ProcessRecords, checkpointer: Checkpointer) -> None:
        """Count."""
        if message.records:
            last = message.records[-1]
            get_logger().info("batch_processed", records=len(message.records))
            checkpointer.checkpoint(Position(last.sequence_number, last.sub_sequence_number))

    def lease_lost(self) -> None:
        """Do nothing."""

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        """Checkpoint."""
        checkpointer.checkpoint(None)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        """Do nothing."""


def child(folder: Path) -> None:
    """Be a child."""
    configure_logs("detector")
    with registered(folder) as registration:
        nothing = Nothing()
        registration.initialized("any")
        Conversation(sys.stdin.buffer, sys.stdout.buffer).run(nothing)


def supervise() -> None:
    """Be `python -m detector`, with that child."""
    settings = DetectorSettings()
    configure_logs("detector")
    service = build(settings)
    words = (sys.executable, str(Path(__file__).resolve()), str(service.files.children))
    (service.files.folder / "child.sh").write_text("exec " + shlex.join(words))
    try:
        run_service(service.supervisor.run, build_api("detector", service.health, service.metrics.registry))
    finally:
        service.files.remove()


if __name__ == "__main__":
    child(Path(sys.argv[1])) if len(sys.argv) > 1 else supervise()
