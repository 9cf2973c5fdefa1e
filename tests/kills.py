"""Kill -9 of one part of a running chain, and the part started again as ECS would; each returns when it was killed."""

import time
from collections.abc import Callable
from typing import Final

import psutil

from tests.chain import Chain, kill_process
from tests.emulator import wait_until

FOUND_WITHIN_S = 60.0


def kill_windower(chain: Chain) -> float:
    """Kill the windower; it starts again."""
    at = time.time()
    chain.windower.kill()
    chain.windower.start()
    return at


def kill_detector(chain: Chain) -> float:
    """Kill the supervisor alone: what it started must find out by itself."""
    at = time.time()
    chain.detector.kill_alone()
    chain.detector.start()
    return at


def kill_daemon(chain: Chain) -> float:
    """Kill the KCL's Java; the supervisor starts it again."""
    return _kill_below(chain, lambda process: "java" in process.name())


def kill_child(chain: Chain) -> float:
    """Kill one record processor; its daemon is started again."""
    return _kill_below(chain, lambda process: "detector.processor" in process.cmdline())


def _kill_below(chain: Chain, wanted: Callable[[psutil.Process], bool]) -> float:
    """Kill the first process below the detector that is `wanted`, once there is one; return when."""
    found: list[int] = []

    def look() -> bool:
        found.extend(_below(chain, wanted))
        return bool(found)

    wait_until(look, FOUND_WITHIN_S, "a process to kill", 0.2)
    at = time.time()
    kill_process(found[0])
    return at


def _below(chain: Chain, wanted: Callable[[psutil.Process], bool]) -> list[int]:
    try:
        below = psutil.Process(chain.detector.pid).children(recursive=True)
        return [process.pid for process in below if wanted(process)]
    except psutil.NoSuchProcess:
        return []


KILLS: Final[dict[str, Callable[[Chain], float]]] = {
    "windower": kill_windower,
    "detector": kill_detector,
    "daemon": kill_daemon,
    "child": kill_child,
}
