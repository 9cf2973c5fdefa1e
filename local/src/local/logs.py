"""The logs of all services in one, each line with its service in front."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, TextIO

EVERY: Final = 0.2


def follow(
    run_dir: Path, only: Collection[str], show: Callable[[str, str], None], *, lines: int, wait: Callable[[], bool]
) -> None:
    """Show the last lines of each log, then each new line, until `wait` says no.

    Args:
        run_dir: where the logs are.
        only: names of services; all when empty.
        show: called with a service's name and a line of its log.
        lines: of each log to begin with.
        wait: called when there is nothing new; returns whether to go on.
    """
    files: dict[str, TextIO] = {}
    try:
        while True:
            for name, path in new_logs(run_dir, only, files):
                files[name] = path.open(errors="replace")
                for line in deque(files[name], maxlen=lines):
                    show(name, line.rstrip("\n"))
            for name, file in files.items():
                for line in file:
                    show(name, line.rstrip("\n"))
            if not wait():
                return
    finally:
        for file in files.values():
            file.close()


def new_logs(run_dir: Path, only: Collection[str], known: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each log that is not known yet."""
    for path in sorted(run_dir.glob("*.log")):
        if path.stem not in known and (not only or path.stem in only):
            yield path.stem, path


def wait_for_more() -> bool:
    """Wait a moment, then go on; for a terminal, until Ctrl-C."""
    time.sleep(EVERY)
    return True


def stop_at_end() -> bool:
    """Go on no longer: show what is there, no more."""
    return False
