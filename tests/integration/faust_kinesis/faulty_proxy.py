"""A real HTTP proxy before the emulator that fails some calls the way Kinesis and networks fail."""

import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.emulator import free_port

Reply = tuple[int, bytes]
Connection = socket.socket | tuple[bytes, socket.socket]
Forward = Callable[[bytes], Reply]


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls of an operation in place of being passed on."""

    operation: str
    act: Callable[[bytes, Forward], Reply]
    times: int


def refuse(code: str, status: int = 400) -> Callable[[bytes, Forward], Reply]:
    """Answer with an AWS error."""
    reply = status, json.dumps({"__type": code, "message": "by the test's proxy"}).encode()
    return lambda _body, _forward: reply


def cancel(*reasons: str) -> Callable[[bytes, Forward], Reply]:
    """Cancel a transaction, with a reason for each of its items."""
    told = [{"Code": reason} for reason in reasons]
    body = {"__type": "TransactionCanceledException", "message": "by the test's proxy", "CancellationReasons": told}
    return lambda _body, _forward: (400, json.dumps(body).encode())


def every_other(act: Callable[[bytes, Forward], Reply]) -> Callable[[bytes, Forward], Reply]:
    """Do `act` to every other call, and pass the rest on."""
    turns = cycle((True, False))
    return lambda body, forward: act(body, forward) if next(turns) else forward(body)


def cut_short(body: bytes, forward: Forward) -> Reply:
    """Pass on, and lose the end of the answer."""
    status, answer = forward(body)
    return status, answer[: len(answer) // 2]


def lose_answer(body: bytes, forward: Forward) -> Reply:
    """Pass on, and close the connection without the answer."""
    forward(body)
    raise ConnectionAbortedError


def fail_every_other_record(body: bytes, forward: Forward) -> Reply:
    """PutRecords takes only half of the records."""
    request = json.loads(body)
    records = request["Records"]
    status, answer = forward(json.dumps(request | {"Records": records[::2]}).encode())
    taken = iter(json.loads(answer)["Records"])
    failed = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "by the test's proxy"}
    results = [failed if i % 2 else next(taken) for i in range(len(records))]
    return status, json.dumps({"FailedRecordCount": len(records) // 2, "Records": results}).encode()


@dataclass(slots=True)
class FaultyProxy:
    """Passes calls on to `upstream`, counts them by operation (S3's by method), and fails those it is told to."""

    upstream: str
    port: int = field(default_factory=free_port)
    calls: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    most_at_once: int = 0
    _now: set[BaseHTTPRequestHandler] = field(default_factory=set)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, operation: str, act: Callable[[bytes, Forward], Reply], times: int = 1) -> None:
        self.faults.append(Fault(operation, act, times))

    def start(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy.handle(self)

            do_PUT = do_POST  # noqa: N815 - the server's name; S3

            def log_message(self, *_: object) -> None:
                return

        self._server = _Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on, and break those that are open."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        operation = request.headers.get("X-Amz-Target", request.command).rpartition(".")[2]
        self.calls[operation] += 1
        self._now.add(request)
        self.most_at_once = max(self.most_at_once, len(self._now))
        try:
            status, answer = self._act(operation)(body, lambda sent: self._forward(request, sent))
        except OSError:
            request.close_connection = True
            return
        finally:
            self._now.discard(request)
        request.send_response(status)
        request.send_header("Content-Type", "application/x-amz-json-1.1")
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _act(self, operation: str) -> Callable[[bytes, Forward], Reply]:
        for fault in self.faults:
            if fault.operation == operation and fault.times > 0:
                fault.times -= 1
                return fault.act
        return lambda body, forward: forward(body)

    @property
    def spent(self) -> bool:
        """Every fault has happened as often as it was to."""
        return all(fault.times == 0 for fault in self.faults)

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> Reply:
        upstream = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
            upstream.request(request.command, request.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, answer.read()
        finally:
            upstream.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - the server's own
        self._open: set[Connection] = set()
        super().__init__(*args)

    def process_request(self, request: Connection, client_address: object) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Connection) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Connection, client_address: object) -> None:
        """A client that has gone is nothing to report."""

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with suppress(OSError):
                if isinstance(connection, socket.socket):
                    connection.shutdown(socket.SHUT_RDWR)
