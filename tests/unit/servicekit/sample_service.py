"""A whole service, as small as can be: the lifecycle's tests run it as a process of its own."""

import asyncio
import logging
import sys
import threading
import warnings
from datetime import timedelta
from typing import Literal, NoReturn

from servicekit.api import build_api
from servicekit.health import Health
from servicekit.lifecycle import run_service
from servicekit.logs import LONGEST_TEXT, configure_logs, get_logger
from servicekit.metrics import ServiceMetrics
from servicekit.settings import ServiceSettings, load

log = get_logger(__name__)

CUT = {  # what a line still holds, and what is cut off
    "url": (" postgres://user:hunt", "er2@h"),
    "note": (" secret_key=hunt", "er2"),
    "identity": (" AKIAHUNTER22", "HUNTER22"),
}


class SampleSettings(ServiceSettings, env_prefix="SAMPLE_"):
    behaviour: Literal["wait", "crash", "crash_twice", "finish", "hang", "ignore_stop", "write_logs"] = "wait"
    uvloop: bool = False


async def behave(behaviour: str, health: Health, stop: asyncio.Event) -> None:
    match behaviour:
        case "finish":
            return
        case "crash":
            await asyncio.to_thread(_fail)
        case "crash_twice":
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(_fail))
        case "hang":
            log.info("hanging")
            threading.Event().wait()
        case "ignore_stop":
            await stop.wait()
            await asyncio.Event().wait()
        case "write_logs":
            _write_logs()
        case _:
            health.beat()
            await stop.wait()
            log.info("drained")


def _fail() -> NoReturn:
    password_of_the_stack_frame = "hunter2"  # noqa: S105 - it must not be in the log
    message = f"no such stream\nsecond line of {len(password_of_the_stack_frame)} characters"
    raise LookupError(message)


def _write_logs() -> None:
    log.info(
        "fields",
        number=1,
        ratio=float("nan"),
        items={"b": (1, 2)},
        password="hunter2",  # noqa: S106 - it must not be in the log
        deep={"aws_token": "x"},
    )
    log.info(
        "text", url="postgres://user:hunter2@host/db", note="secret_key=hunter2 and more", bytes_=b"\xff", lone="\ud800"
    )
    log.info(
        "cut",
        **{name: f"{'x ' * 5000}"[: LONGEST_TEXT - len(half)] + half + rest for name, (half, rest) in CUT.items()},
    )
    log.info("long", text="x" * 1_000_000, items=list(range(1000)), fields={str(n): n for n in range(1000)})
    log.debug("too_quiet")
    logging.getLogger("a.library").warning("it says %s", "hello")
    logging.getLogger("botocore.auth").debug("hunter2")
    warnings.warn("old way", DeprecationWarning, stacklevel=1)
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()
    print("a stray print")  # noqa: T201 - the only thing on stdout


def main() -> None:
    settings = load(SampleSettings)
    configure_logs("sample", settings.log_level)
    health, metrics = Health(timedelta(seconds=10)), ServiceMetrics("sample")
    api = build_api("sample", health, metrics.registry)
    factory = None
    if settings.uvloop:
        import uvloop  # noqa: PLC0415 - the choice of a loop is the service's

        factory = uvloop.new_event_loop
    run_service(
        lambda stop: behave(settings.behaviour, health, stop), api, settings.host, settings.port, loop_factory=factory
    )


if __name__ == "__main__":
    if "--crash-outside" in sys.argv:
        configure_logs("sample")
        _fail()
    main()
