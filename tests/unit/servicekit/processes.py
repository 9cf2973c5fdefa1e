"""Starts the sample service, and reads what it says."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Line = dict[str, Any]
_PROGRAM = Path(__file__).with_name("sample_service.py")


class Sample:
    """A running sample service; its log lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def lines(self) -> Iterator[Line]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            yield json.loads(line)

    def wait_for(self, event: str) -> Line:
        return next(line for line in self.lines() if line["event"] == event)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        return self.process.wait(timeout=20)


@contextmanager
def sample(*arguments: str, **settings: str) -> Iterator[Sample]:
    """Run the service with `SAMPLE_<SETTING>` variables until the block ends."""
    environment = os.environ | {f"SAMPLE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, str(_PROGRAM), *arguments]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield Sample(process)
        finally:
            process.kill()


def run_sample(*arguments: str, **settings: str) -> tuple[int, list[Line], str]:
    """Run the service until it ends; return its exit code, its log lines and its stdout."""
    with sample(*arguments, **settings) as running:
        stdout, stderr = running.process.communicate(timeout=20)
        return running.end(), [json.loads(line) for line in stderr.splitlines()], stdout
