"""The whole chain over an emulated account of its own: emulator, data stack, windower, detector, producer."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.emulator import ROOT, Emulator, start_group, stop_group
from tests.observed import BAD_EVENTS, RAW_BUCKET, Observed
from tests.processes import ServiceProcess

LIMIT = 10


class Chain(Observed):
    """Everything between a CSV file and an alert; `with` starts it and leaves nothing running."""

    def __init__(self, folder: Path, **windower: str) -> None:
        """Start nothing yet; logs and states go to `folder`, settings as `WINDOWER_LEASE` to the windower."""
        self.folder = folder
        self._settings = windower
        super().__init__(Emulator(folder))
        self.windower: ServiceProcess
        self.detector: ServiceProcess

    def __enter__(self) -> Self:
        """Start the account, its resources and both services, and wait until they are ready."""
        try:
            self.emulator.start()
            self._deploy()
            self.subscribe()
            environment = self.emulator.process_env
            wiring = {"WINDOWER_BAD_EVENTS_QUEUE": BAD_EVENTS, "WINDOWER_BAD_EVENTS_BUCKET": RAW_BUCKET}
            lively = {"WINDOWER_LEASE": "3", "WINDOWER_COMMIT_INTERVAL": "0.5"}
            told = environment | wiring | lively | self._settings
            self.windower = ServiceProcess("windower", told, self.folder).start()
            self.detector = ServiceProcess("detector", environment, self.folder).start()
            self.windower.until_ready()
            self.detector.until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.stop()

    def stop(self) -> None:
        """End everything that was started."""
        for service in (getattr(self, name, None) for name in ("windower", "detector")):
            if service is not None:
                service.stop()
        self.emulator.stop()

    def log_ends(self) -> str:
        """Return the end of both services' logs."""
        return f"windower:\n{self.windower.tail()}\ndetector:\n{self.detector.tail()}"

    def _deploy(self) -> None:
        python = str(ROOT / "local" / ".venv" / "bin" / "python")
        subprocess.run(  # noqa: S603 - our own command
            [python, "-m", "local", "deploy", "--port", str(self.emulator.port)],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=self.emulator.process_env,
        )

    # -- the producer

    def start_replay(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start the producer's command line."""
        log = self.folder / "producer.log"
        environment = self.emulator.process_env | {
            "PRODUCER_RAW_BUCKET": RAW_BUCKET,
            "PRODUCER_BAD_EVENTS_QUEUE": BAD_EVENTS,
            "PRODUCER_STATE_FOLDER": str(self.folder / "state"),
        }
        return start_group([sys.executable, "-m", "producer", "replay", *arguments], log, environment)

    def replay(self, *arguments: str, timeout_s: float = 240) -> None:
        """Replay to the end."""
        process = self.start_replay(*arguments)
        try:
            assert process.wait(timeout_s) == 0, (self.folder / "producer.log").read_text()[-3000:]
        finally:
            stop_group(process)


def kill_process(pid: int) -> None:
    """Kill -9 one process, if it is there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
