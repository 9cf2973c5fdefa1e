"""Runs a command that must not outlive its parent: `python -m detector.kcl.leash java ...`.

It leads a process group of its own. When the parent is gone (stdin ends), it kills the whole group at once: a daemon
left over from a killed detector would go on under the same worker id as the next one's. SIGTERM it hands on.
"""

import os
import signal
import subprocess
import sys
from threading import Thread
from types import FrameType


def main(command: list[str]) -> int:
    """Run `command` and return its exit code; 128 + the signal when one ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the supervisor's own command

    def hand_on(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_kill_group_when_alone, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _kill_group_when_alone() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
