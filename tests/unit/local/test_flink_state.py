"""The Flink job here goes on from its last complete checkpoint, and never from one of another life of its stream."""

import os
from pathlib import Path

from local.flink_state import checkpoints

FROM = "execution.state-recovery.path"


def checkpoint(folder: Path, life: str, name: str, *, at: int, complete: bool = True) -> Path:
    made = folder / life / name
    made.mkdir(parents=True)
    if complete:
        (made / "_metadata").touch()
        os.utime(made / "_metadata", (at, at))
    return made


def test_a_job_without_a_checkpoint_begins_anew_and_keeps_its_own(tmp_path: Path) -> None:
    settings = checkpoints(tmp_path / "flink", "now")
    assert FROM not in settings
    assert settings["execution.checkpointing.dir"] == f"file://{tmp_path}/flink/now"


def test_the_newest_checkpoint_that_was_written_to_its_end_is_taken(tmp_path: Path) -> None:
    checkpoint(tmp_path, "now", "first-job/chk-9", at=100)
    newest = checkpoint(tmp_path, "now", "second-job/chk-2", at=200)
    checkpoint(tmp_path, "now", "second-job/chk-3", at=300, complete=False)
    assert checkpoints(tmp_path, "now")[FROM] == f"file://{newest}"


def test_checkpoints_of_another_life_of_the_stream_are_forgotten(tmp_path: Path) -> None:
    old = checkpoint(tmp_path, "before", "job/chk-1", at=100)
    assert FROM not in checkpoints(tmp_path, "now")
    assert not old.exists()
