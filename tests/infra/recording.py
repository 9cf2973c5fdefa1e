"""An emulated account that writes down which call each process makes: who, the IAM action, on what.

Each process has an access key id of its own, which the emulator takes as it takes any. Run as a script, in local's
environment, this is that emulator.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

LAUNCH = """
import importlib, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from local import emulator, settings
from recording import Recorder
port, state, calls = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
settings.configure_process(emulator.environment(host="127.0.0.1", port=port, state_dir=state, persist=False))
ministack = importlib.import_module("ministack.app")
ministack.app = Recorder(ministack.app, calls)
emulator.serve(port=port, state_dir=state, persist=False, ready=print)
"""

_S3 = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject", "DELETE": "DeleteObject"}
_SAME = {
    "BatchWriteItem": "BatchWriteItem",
    "TransactWriteItems": "UpdateItem",  # all that we put into one
    "SendMessageBatch": "SendMessage",
}
_RESOURCES = ("StreamName", "TableName", "QueueName", "QueueUrl", "TopicArn")


class Recorder:
    """Passes each request on to `app` and writes down what it was: ASGI on both sides."""

    def __init__(self, app: Any, file: Path) -> None:  # noqa: ANN401 - ASGI
        self._app = app
        self._file = file.open("a", buffering=1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self._note(scope, body)
        rest = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:  # noqa: ANN401 - ASGI
            return rest.pop() if rest else await receive()

        await self._app(scope, again, send)

    def _note(self, scope: Any, body: bytes) -> None:  # noqa: ANN401 - ASGI
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        signed = re.search(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/", headers.get("authorization", ""))
        if signed:
            who, service = signed.groups()
            for action, resource in calls(service, headers, scope, body):
                self._file.write(json.dumps([who, action, resource]) + "\n")


def calls(service: str, headers: dict[str, str], scope: Any, body: bytes) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yield the IAM actions that a request needs, with what each is on; empty where the request does not say."""
    if service == "s3":
        yield _s3(scope)
        return
    path = str(scope["path"])
    target = headers.get("x-amz-target", "").rpartition(".")[2] or path.rpartition("/operation/")[2]
    given = _fields(body)
    operation = target if target and "/" not in target else str(given.get("Action", ""))
    resources = [str(given[name]).rpartition("/")[2].rpartition(":")[2] for name in _RESOURCES if name in given]
    resources += list(given.get("RequestItems", {}))
    resources += [next(iter(item.values()))["TableName"] for item in given.get("TransactItems", [])]
    if "IndexName" in given:
        resources = [f"{resources[0]}/index/{given['IndexName']}"]
    name = "cloudwatch" if service == "monitoring" else service
    for resource in dict.fromkeys(resources or [""]):
        yield f"{name}:{_SAME.get(operation, operation)}", resource


def _s3(scope: Any) -> tuple[str, str]:  # noqa: ANN401 - ASGI
    bucket, _, key = unquote(str(scope["path"])).strip("/").partition("/")
    return (f"s3:{_S3[scope['method']]}", f"{bucket}/{key}") if key else ("s3:ListBucket", bucket)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
    return found if isinstance(found, dict) else {}


def start(python: Path, port: int, state: Path, file: Path, **process: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401
    """Start the emulator on `port`; `file` gets a line a call."""
    arguments = [str(port), str(state), str(file), str(Path(__file__).parent)]
    return subprocess.Popen([python, "-c", LAUNCH, *arguments], **process)  # noqa: S603 - our own


def recorded(file: Path, who: str) -> set[tuple[str, str]]:
    """Return the calls of one process."""
    lines = map(json.loads, file.read_text().splitlines())
    return {(action, resource) for caller, action, resource in lines if caller == who}
