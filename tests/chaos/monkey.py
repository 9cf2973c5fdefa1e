"""Kills whatever it is told to, at random moments, and starts it again as ECS would."""

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from tests.chain import Chain, kill_process
from tests.emulator import stop_group, wait_until


@dataclass
class Replay:
    """The producer's command line, which goes on with --resume after every kill."""

    chain: Chain
    arguments: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, *more: str) -> None:
        """Start or resume it."""
        self.process = self.chain.start_replay(*self.arguments, *more)

    def kill(self) -> bool:
        """Kill -9 it and resume; False when it had ended before."""
        if self.process is None or self.process.poll() is not None:
            return False
        stop_group(self.process)
        self.start("--resume")
        return True

    def finish(self, timeout_s: float) -> None:
        """Wait until it ends well."""
        assert self.process is not None
        assert self.process.wait(timeout_s) == 0, (self.chain.folder / "producer.log").read_text()[-3000:]


@dataclass
class Monkey:
    """What it did is in `done`, in order."""

    chain: Chain
    replay: Replay
    seed: int
    pause_s: float
    done: list[str] = field(default_factory=list)

    def kill_producer(self) -> None:
        """Kill the replay; it resumes."""
        self._note("producer", hit=self.replay.kill())

    def kill_windower(self) -> None:
        """Kill the windower; it starts again."""
        self.chain.windower.kill()
        self.chain.windower.start()
        self._note("windower")

    def kill_detector(self) -> None:
        """Kill the supervisor alone: what it started must find out by itself."""
        self.chain.detector.kill_alone()
        self.chain.detector.start()
        self._note("detector")

    def kill_daemon(self) -> None:
        """Kill the KCL daemon; the supervisor starts it again."""
        self._kill_below(lambda process: "MultiLangDaemon" in " ".join(process.cmdline()))
        self._note("daemon")

    def kill_child(self) -> None:
        """Kill one record processor; its daemon is started again."""
        self._kill_below(lambda process: "detector.processor" in " ".join(process.cmdline()))
        self._note("child")

    def pause_emulator(self) -> None:
        """Freeze the whole of AWS for a while."""
        self.chain.emulator.pause()
        time.sleep(self.pause_s)  # the outage itself, not a wait for something
        self.chain.emulator.resume()
        self._note("pause")

    def rage(self, deeds: int, *, between_s: tuple[float, float]) -> None:
        """Do each deed in turn, shuffled, at random moments."""
        rng = random.Random(self.seed)
        each = [
            self.kill_producer,
            self.kill_windower,
            self.kill_detector,
            self.kill_daemon,
            self.kill_child,
            self.pause_emulator,
        ]
        for _ in range(0, deeds, len(each)):
            rng.shuffle(each)
            for deed in each:
                time.sleep(rng.uniform(*between_s))  # the random moment
                deed()

    def kills(self) -> int:
        """Count the processes killed."""
        return sum(name != "pause" for name in self.done)

    def _kill_below(self, wanted: Callable[[psutil.Process], bool]) -> None:
        """Kill the first process below the detector that is `wanted`, once there is one."""
        found: list[int] = []

        def look() -> bool:
            found.extend(self._below(wanted))
            return bool(found)

        wait_until(look, 60, "a process to kill", 0.2)
        kill_process(found[0])

    def _below(self, wanted: Callable[[psutil.Process], bool]) -> list[int]:
        try:
            below = psutil.Process(self.chain.detector.pid).children(recursive=True)
            return [process.pid for process in below if wanted(process)]
        except psutil.NoSuchProcess:
            return []

    def _note(self, name: str, *, hit: bool = True) -> None:
        if hit:
            self.done.append(name)
