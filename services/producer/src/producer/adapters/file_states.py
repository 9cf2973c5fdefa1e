"""The `StateStore` port over this machine's files; for the command line."""

import asyncio
import os
from pathlib import Path

from producer.errors import StateError
from producer.state import ReplayState, decode_state, encode_state


class FileStates:
    """One file a replay, in a folder, or one named file."""

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        """Keep states in `folder` under their ids, or the only one in `file`."""
        self._folder, self._file = folder.expanduser(), file

    def path(self, replay_id: str) -> Path:
        """Return where the state of a replay is."""
        return self._file or self._folder / f"{replay_id}.json"

    async def load(self, replay_id: str) -> ReplayState | None:
        """See the port."""
        return await asyncio.to_thread(_load, self.path(replay_id))

    async def save(self, state: ReplayState) -> None:
        """See the port."""
        path = self.path(state.replay_id)
        if path.exists() and not path.is_file():  # a device or a folder is not to be replaced, were one allowed to
            msg = f"the state cannot be kept in {path}: it is no file"
            raise StateError(msg)
        try:
            await asyncio.to_thread(_replace, path, encode_state(state))
        except OSError as error:
            msg = f"the state cannot be kept in {path}: {error.strerror}"
            raise StateError(msg) from error


def _load(path: Path) -> ReplayState | None:
    try:
        return decode_state(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = f"the state in {path} cannot be read: {error}"
        raise StateError(msg) from error


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
