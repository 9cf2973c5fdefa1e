"""What the Flink job here goes on from after a crash: checkpoints in files, as Managed Flink keeps them in AWS."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


def life_of(kinesis: "KinesisClient", stream: str) -> str:
    """Return what tells a stream from one of the same name that an emulator had before."""
    made = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamCreationTimestamp"]
    return f"{made:%Y%m%dT%H%M%S.%fZ}"


def checkpoints(folder: Path, life: str) -> dict[str, str]:
    """Return the settings of a job that goes on from its last checkpoint, if it has one in this `life` of its stream.

    Those of another life are removed: their positions lead nowhere. Flink takes paths as they are, a space for a space.
    """
    here = folder / life
    for other in folder.glob("*"):
        if other != here:
            shutil.rmtree(other)
    settings = {
        "execution.checkpointing.storage": "filesystem",
        "execution.checkpointing.dir": f"file://{here}",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    }
    if last := last_complete(here):
        settings["execution.state-recovery.path"] = f"file://{last}"
        settings["execution.state-recovery.claim-mode"] = "CLAIM"
    return settings


def last_complete(folder: Path) -> Path | None:
    """Return the newest checkpoint of any job under `folder` that was written to its end."""
    newest = max(folder.glob("*/chk-*/_metadata"), key=lambda file: file.stat().st_mtime_ns, default=None)
    return newest.parent if newest else None
