"""A service as a process of its own, as it is deployed: started, asked for its health, killed."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.emulator import free_port, start_group, stop_group, wait_until

READY_TIMEOUT_S = 90.0


class ServiceProcess:
    """``python -m <service>`` with an operations page on a free port; its log is in `folder`."""

    def __init__(self, service: str, environment: Mapping[str, str], folder: Path) -> None:
        """Start nothing yet; `environment` is whole but for the port."""
        self.service = service
        self.port = free_port()
        self.log = folder / f"{service}-{self.port}.log"
        self._environment = {**environment, f"{service.upper()}_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the operations page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process; it is running or has run."""
        assert self._process is not None, f"{self.service} was never started"
        return self._process

    def start(self) -> Self:
        """Start it and return at once."""
        self._process = start_group([sys.executable, "-m", self.service], self.log, self._environment)
        return self

    def until_ready(self) -> Self:
        """Return when every dependency answers."""
        wait_until(self._ready_or_dead, READY_TIMEOUT_S, f"{self.service} ready; its log ends:\n{self.tail()}", 0.2)
        assert self.process.poll() is None, f"{self.service} ended with {self.process.returncode}:\n{self.tail()}"
        return self

    def _ready_or_dead(self) -> bool:
        return self.process.poll() is not None or self.get("/health/ready")[0] == 200

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page; status 0 when nothing answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as reply:  # noqa: S310 - our own address
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str) -> float:
        """Return a metric's value, summed over the samples whose name (and labels) start with `name`."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log so far; every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def tail(self, lines: int = 15) -> str:
        """Return the log's end, for a failed assertion."""
        return "\n".join(self.log.read_text().splitlines()[-lines:]) if self.log.exists() else ""

    def kill(self) -> None:
        """Kill -9 it and all it started."""
        stop_group(self.process)

    def kill_alone(self) -> None:
        """Kill -9 the service's own process; what it started finds out by itself."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()

    def terminate(self, grace_s: float = 60.0) -> int:
        """Ask it to stop (SIGTERM) and return its exit code."""
        self.process.terminate()
        return self.process.wait(grace_s)

    def __enter__(self) -> Self:
        """Start it and wait until it is ready."""
        try:
            return self.start().until_ready()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever it is doing."""
        self.stop()

    def stop(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            stop_group(self._process, signal.SIGTERM, grace_s=20)
