"""Runs a service and its operations page together, from the first line to a clean stop."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI

from servicekit.logs import get_logger

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE = 3  # seconds by which an open connection can delay the stop
_log = get_logger(__name__)


def run_service(
    main: Callable[[asyncio.Event], Awaitable[None]],
    api: FastAPI | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run `main` and serve `api` until `main` returns; return when both have ended well.

    SIGTERM or SIGINT sets the event that `main` was given; `main` then finishes what it holds and returns, while `api`
    still answers. A second signal kills the process at once, whatever it is doing. The bound address is logged as
    `http_listening`; what `main` raises is logged as one line, `service_crashed`.

    Args:
        main: the service.
        api: its operations page (see `build_api`), or None.
        host: the address to listen on.
        port: the port; 0 = any free one. It is bound before `main` starts.
        loop_factory: makes the event loop; a service that depends on uvloop gives `uvloop.new_event_loop`.

    Raises:
        SystemExit: code 1, `main` or `api` failed, or the address cannot be had.
    """
    listener = None if api is None else _bind(host, port, service=api.title)
    server = (
        None
        if api is None
        else _Server(
            uvicorn.Config(
                api, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE
            )
        )
    )
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_run(main, server, listener))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told once and ends the process
        _log.error("service_crashed", exc_info=_cause(error))
        raise SystemExit(1) from None


class _Server(uvicorn.Server):
    """Uvicorn that leaves the signals to `run_service`, and logs the address that it really has."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for address, port, *_ in (listener.getsockname() for listener in sockets or ()):
            shown = f"[{address}]" if ":" in address else address
            _log.info("http_listening", url=f"http://{shown}:{port}")


async def _run(
    main: Callable[[asyncio.Event], Awaitable[None]], server: _Server | None, listener: socket.socket | None
) -> None:
    stop, failures = asyncio.Event(), list[Exception]()
    with _signals_set(stop):
        async with asyncio.TaskGroup() as group:
            if server is not None and listener is not None:
                group.create_task(server.serve(sockets=[listener]))
            try:
                await main(stop)
            except Exception as error:  # noqa: BLE001 - raised below, when the server has closed its connections in order
                failures.append(error)
            finally:
                if server is not None:
                    server.should_exit = True
    for failure in failures:
        raise failure


@contextlib.contextmanager
def _signals_set(stop: asyncio.Event) -> Iterator[None]:
    """Let the first signal set `stop`, and give the next to the system, which kills even a loop that is stuck."""
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(on_stop, signal.Signals(number).name)

    def on_stop(name: str) -> None:  # in the loop, because the logger's stream may be in use when a signal arrives
        _log.info("stopping", signal=name)
        stop.set()

    before = {each: signal.signal(each, on_signal) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _bind(host: str, port: int, *, service: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            reason, setting = f"port {port} is taken or not allowed", f"{service.upper()}_PORT"
        else:
            reason, setting = f"{host} is no address of this machine", f"{service.upper()}_HOST"
        _log.error("cannot_listen", host=host, port=port, reason=reason, advice=f"set {setting} to another one")
        raise SystemExit(1) from None


def _cause(error: BaseException) -> BaseException:
    """Return the one exception in `error` when it is a group of one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
