"""Kills whatever it is told to, at random moments, and starts it again as ECS would."""

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.chain import Chain
from tests.chaos.progress import Kill
from tests.emulator import stop_group
from tests.kills import KILLS


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
    """What it did is in `done`, in order, and when it killed in `kills`."""

    chain: Chain
    replay: Replay
    seed: int
    pause_s: float
    done: list[str] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)

    def kill_producer(self) -> None:
        """Kill the replay; it resumes."""
        at = time.time()
        if self.replay.kill():
            self._note("producer", at)

    def _kill(self, part: str) -> None:
        self._note(part, KILLS[part](self.chain))

    def pause_emulator(self) -> None:
        """Freeze the whole of AWS for a while."""
        self.chain.emulator.pause()
        time.sleep(self.pause_s)  # the outage itself, not a wait for something
        self.chain.emulator.resume()
        self.done.append("pause")

    def rage(self, deeds: int, *, between_s: tuple[float, float]) -> None:
        """Do each deed in turn, shuffled, at random moments."""
        rng = random.Random(self.seed)
        each: list[Callable[[], None]] = [
            self.kill_producer,
            *(partial(self._kill, part) for part in KILLS),
            self.pause_emulator,
        ]
        for _ in range(0, deeds, len(each)):
            rng.shuffle(each)
            for deed in each:
                time.sleep(rng.uniform(*between_s))  # the random moment
                deed()

    def _note(self, part: str, at: float) -> None:
        self.done.append(part)
        self.kills.append((part, at))
