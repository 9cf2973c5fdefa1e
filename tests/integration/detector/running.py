"""A detector as a process of its own, its daemon and its children."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError

import psutil

from tests.emulator import start_group, stop_group, wait_until
from tests.integration.detector.account import Account

READY_TIMEOUT_S = 90.0


class RunningDetector:
    """`python -m detector` on an account; its stderr in `log`."""

    command: tuple[str, ...] = (sys.executable, "-m", "detector")

    def __init__(self, account: Account, folder: Path, **settings: str) -> None:
        self.account = account
        self.log = folder / f"detector-{account.application}.log"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._offset = 0

    def start(self) -> None:
        """Start it; its log begins anew for `events`."""
        self._offset = self.log.stat().st_size if self.log.exists() else 0
        self._process = start_group(self.command, self.log, self.account.env | self._settings)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return the log lines since the start, those of one event if named; each line must be JSON."""
        with self.log.open("rb") as log:
            log.seek(self._offset)
            lines = [json.loads(line) for line in log.read().splitlines(keepends=True) if line.endswith(b"\n")]
        return [line for line in lines if name in ("", line["event"])]

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page."""
        url = next(iter(self.events("http_listening")), {"url": ""})["url"]
        if not url:
            return 0, ""
        try:
            with urllib.request.urlopen(url + path, timeout=10) as reply:  # noqa: S310 - ours
                return reply.status, reply.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def wait_ready(self) -> None:
        """Return when every shard has a child and every dependency answers."""
        wait_until(self._is_ready, READY_TIMEOUT_S, f"a ready detector, log {self.log}", every_s=0.2)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        return self.get("/health/ready")[0] == 200 and len(self.children()) == self.account.shards

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    def family(self) -> list[psutil.Process]:
        """Return the supervisor and all its descendants, and those of a daemon that lost it."""
        return [process for process in psutil.process_iter() if self._belongs(process)]

    def _belongs(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return process.environ().get("DETECTOR_APPLICATION") == self.account.application
        return False

    def java(self) -> psutil.Process:
        """Return the daemon."""
        return next(each for each in self.family() if "java" in each.name())

    def children(self) -> list[psutil.Process]:
        """Return the children that have begun to handle records or are about to."""
        return [each for each in self.family() if "detector.processor" in _command(each)]

    def terminate(self, grace_s: float) -> int:
        """Send SIGTERM and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(grace_s)

    def kill(self) -> None:
        """Kill the supervisor alone, as the system would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it and whatever it left."""
        if self._process is not None:
            stop_group(self._process, grace_s=1)
        for process in self.family():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []
