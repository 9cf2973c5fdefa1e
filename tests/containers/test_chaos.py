"""Restarts, crashes, partitions, pauses, a memory limit too small, all under load: counts stay exact."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import compose
from tests.containers.platform import SERVICES, Platform, Replay
from tests.emulator import wait_until
from tests.observed import BAD_ROWS, LATE_ROWS, SAMPLE_ROWS, hold_to_the_exact_answer

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]


class Trouble:
    """One deed a method; each ends when the service does its work again."""

    def __init__(self, platform: Platform, replay: Replay, folder: Path) -> None:
        """Do nothing yet."""
        self._platform, self._replay = platform, replay
        self._tight = folder / "tight.yml"
        self._since = time.monotonic()
        self.killed = 0
        self.under_load: set[tuple[str, str]] = set()

    def restart(self, service: str) -> None:
        """Stop it as ECS does in a deployment, then start it again."""
        container = self._platform.container(service)
        grace = float(compose.services()[service]["stop_grace_period"].removesuffix("s"))
        assert container.stop() < grace
        assert container.state()["ExitCode"] == 0, container.log_end()
        container.start()
        self._recover(service, "restarted")

    def crash(self, service: str) -> None:
        """Kill its process; the restart policy brings it back."""
        self._platform.container(service).crash()
        self.killed += service == "detector"
        self._recover(service, "crashed")

    def cut_off(self, service: str, seconds: float) -> None:
        """Take it off the network for a while."""
        container = self._platform.container(service)
        container.cut_off()
        time.sleep(seconds)  # the partition itself, not a wait for something
        container.join_again()
        self._recover(service, "cut off")

    def pause(self, service: str, seconds: float) -> None:
        """Freeze it for a while."""
        container = self._platform.container(service)
        container.pause()
        time.sleep(seconds)  # the outage itself, not a wait for something
        container.unpause()
        self._recover(service, "paused")

    def starve(self, service: str, memory: str) -> None:
        """Give it too little memory to start with, until the kernel has killed it more than once; then enough."""
        self._tight.write_text(f"services: {{{service}: {{mem_limit: {memory}, memswap_limit: {memory}}}}}\n")
        container = self._platform.container(service)
        files = ("-f", "docker-compose.yml", "-f", str(self._tight))
        self._platform.compose(*files, "up", "--detach", "--no-deps", service)
        wait_until(lambda: container.restarts() > 1, 60, f"{service} was killed for its memory", 0.2)
        self.killed += service == "detector"
        self._platform.compose("up", "--detach", "--no-deps", service)
        self._recover(service, "starved")

    def _recover(self, service: str, deed: str) -> None:
        self._platform.container(service).until_healthy()
        phase = self._replay.phase()  # resumes it when the producer was ended
        if phase != "finished":
            self.under_load.add((deed, service))
        seconds, self._since = time.monotonic() - self._since, time.monotonic()
        print(f"{seconds:5.1f} s  {service} {deed}, the replay {phase}")  # noqa: T201 - shown when it fails


def survive(platform: Platform, folder: Path, *, speed: int, deeds: Callable[[Trouble], None]) -> Trouble:
    """Replay the sample with bots while `deeds` are done, and hold what comes of it to the exact answer."""
    replay = platform.replay(speed)
    wait_until(lambda: replay.phase() in {"replaying", "draining", "finished"}, 60, "rows are sent", 0.2)
    trouble = Trouble(platform, replay, folder)
    deeds(trouble)
    replay.finish(600)
    labels = platform.labels()
    events = SAMPLE_ROWS + BAD_ROWS + LATE_ROWS + sum(label["actions"] for label in labels)
    platform.until_accounted(events, timeout_s=240)
    hold_to_the_exact_answer(platform, events, {label["user_id"] for label in labels if label["should_alert"]})
    sent = Counter(alert.alert_id for alert in platform.messages)
    assert len(sent) == len({alert.user_id for alert in platform.messages}), "a user was told about twice"
    assert sent.total() - len(sent) <= trouble.killed, "a message came again without a kill between sending and noting"
    return trouble


def one_of_everything(trouble: Trouble) -> None:
    for service in ("producer", "windower", "detector"):
        trouble.restart(service)
    for service in ("windower", "detector", "producer", "emulator"):
        trouble.cut_off(service, 4)
    for service in SERVICES:
        trouble.crash(service)
    trouble.starve("windower", "32m")
    for service in ("windower", "detector", "producer", "emulator"):
        trouble.pause(service, 4)


def test_the_platform_survives_one_of_everything(tmp_path: Path) -> None:
    with Platform(tmp_path, WINDOWER_LEASE="3") as platform:
        trouble = survive(platform, tmp_path, speed=80, deeds=one_of_everything)
    restarts = {("restarted", service) for service in SERVICES}
    assert trouble.under_load >= restarts, f"of the restarts only {trouble.under_load} were under load"


@pytest.mark.chaos
@pytest.mark.parametrize("seed", [21, 22])
def test_the_platform_survives_much_of_everything(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)

    def rage(trouble: Trouble) -> None:
        for _ in range(14):
            time.sleep(rng.uniform(1, 6))  # the random moment
            service = rng.choice(SERVICES)
            match rng.choice(["restart", "crash", "cut_off", "pause", "starve", "account"]):
                case "restart":
                    trouble.restart(service)
                case "crash":
                    trouble.crash(service)
                case "cut_off":
                    trouble.cut_off(service, rng.uniform(3, 20))
                case "pause":
                    trouble.pause(service, rng.uniform(3, 20))
                case "starve":
                    trouble.starve(service, "32m")
                case _:
                    rng.choice([trouble.pause, trouble.cut_off])("emulator", rng.uniform(3, 20))

    with Platform(tmp_path) as platform:
        survive(platform, tmp_path, speed=30, deeds=rage)
