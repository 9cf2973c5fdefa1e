"""One run of the daemon: started on a leash, drained, stopped, and gone with all its children."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from detector.kcl.children import read_children
from detector.kcl.output import log_output
from detector.kcl.runfiles import RunFiles

LONGEST_LINE: Final = 1024 * 1024
DRAIN_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05


class Daemon:
    """A daemon that runs, or did."""

    def __init__(self, process: Process, files: RunFiles) -> None:
        """Take over the leash's process."""
        self._process = process
        self._files = files
        self._output = asyncio.ensure_future(log_output(process.stdout)) if process.stdout else None

    @classmethod
    async def start(cls, command: Sequence[str], files: RunFiles) -> Self:
        """Start `command` in the run folder, as a group of its own that ends when this process does."""
        leash = [sys.executable, "-P", "-m", "detector.kcl.leash"]
        process = await asyncio.create_subprocess_exec(
            *leash, *command, stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=files.folder, start_new_session=True,
            limit=LONGEST_LINE,
        )  # fmt: skip
        return cls(process, files)

    @property
    def pid(self) -> int:
        """The leader of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end, which gives every child time to checkpoint; after `grace_seconds` kill what is left."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._exited(), grace_seconds)
        await self._end()

    async def drain(self) -> None:
        """End it when it is no longer whole: children finish and checkpoint their batch if they can, then all go."""
        for child in read_children(self._files.children):
            if child.alive:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._children_ended(), DRAIN_SECONDS)
        await self._end()

    async def _exited(self) -> None:
        """Wait for the leash alone: Process.wait() also waits for whoever else holds its output."""
        while self.exit_code is None:  # noqa: ASYNC110 - see above
            await asyncio.sleep(_POLL_SECONDS)

    async def _children_ended(self) -> None:
        while any(child.alive for child in read_children(self._files.children)):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(_POLL_SECONDS)

    async def _end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        if self._output is not None:
            await self._output
