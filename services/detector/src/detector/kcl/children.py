"""Who of the daemon's children lives: each holds a lock on a file named after its process id.

The system drops the lock when a process ends, however it ends; an ordered end removes the file as well. So a file
that can be locked is a child that was killed. (The daemon itself notices only when it next writes to the child.)
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

_WORKED: Final = b"\n"


class Child(NamedTuple):
    """One child as its file tells of it."""

    pid: int
    shard_id: str  # empty until the daemon has told it
    alive: bool
    worked: bool = False  # it has handled a batch, an empty one at least


class Registration:
    """A child's own file."""

    def __init__(self, folder: Path) -> None:
        """Create and lock it, then show it."""
        self._path = folder / str(os.getpid())
        hidden = folder / f".{os.getpid()}"
        self._file = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        hidden.rename(self._path)
        self._worked = False

    def initialized(self, shard_id: str) -> None:
        """Tell which shard it handles."""
        os.write(self._file, shard_id.encode())

    def handled(self) -> None:
        """Tell that a batch is handled; the first time is enough."""
        if not self._worked:
            os.write(self._file, _WORKED)
            self._worked = True

    def remove(self) -> None:
        """Tell that it ends in order."""
        self._path.unlink(missing_ok=True)


@contextmanager
def registered(folder: Path) -> Iterator[Registration]:
    """Be a child that lives, until an ordered end."""
    registration = Registration(folder)
    yield registration
    registration.remove()  # not after an exception: that is no ordered end


def read_children(folder: Path) -> list[Child]:
    """Return the children that live and those that were killed."""
    children = []
    for path in sorted(folder.glob("[0-9]*")):
        with suppress(FileNotFoundError):  # ended meanwhile
            children.append(_read(path))
    return children


def _read(path: Path) -> Child:
    file = os.open(path, os.O_RDONLY)
    try:
        shard_id, worked, _ = os.read(file, 1024).partition(_WORKED)
        return Child(int(path.name), shard_id.decode(), alive=not _can_lock(file), worked=bool(worked))
    finally:
        os.close(file)


def _can_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
