"""The emulated AWS as a test fixture: one process on a free port, with state of its own."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
START_TIMEOUT_S = 60.0


def free_port() -> int:
    """Return a TCP port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], timeout_s: float, what: str, every_s: float = 0.05) -> None:
    """Poll `true` until it holds.

    Raises:
        TimeoutError: it did not hold within `timeout_s` seconds; `what` says what was waited for.
    """
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            msg = f"waited {timeout_s:.0f} s in vain: {what}"
            raise TimeoutError(msg)
        time.sleep(every_s)


def start_group(
    command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path = ROOT
) -> "subprocess.Popen[bytes]":
    """Start our own `command` as the leader of a group, so that `stop_group` ends all of it; it appends to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )


def stop_group(process: "subprocess.Popen[Any]", *signals: signal.Signals, grace_s: float = 15.0) -> None:
    """End `process` and its whole group: each of `signals` in turn, then SIGKILL.

    The process must lead its group, as those of `start_group` do.
    """
    for number in (*signals, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(grace_s)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


class Emulator:
    """A running emulated AWS account (000000000000, us-east-1)."""

    def __init__(self, state: Path) -> None:
        """Keep the log in `state`; nothing runs yet."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = state / f"emulator-{self.port}.log"
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}

    @property
    def env(self) -> dict[str, str]:
        """The AWS_* variables that point a process here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    @property
    def process_env(self) -> dict[str, str]:
        """The whole environment for a subprocess: this process's own, its AWS settings replaced by `env`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | self.env

    @overload
    def client(self, service: Literal["kinesis"]) -> "KinesisClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    @overload
    def client(self, service: Literal["sns"]) -> "SNSClient": ...
    @overload
    def client(self, service: Literal["cloudwatch"]) -> "CloudWatchClient": ...
    @overload
    def client(self, service: Literal["cloudformation", "firehose", "glue", "athena", "logs", "sts"]) -> Any: ...  # noqa: ANN401
    def client(self, service: str) -> Any:
        """Return the boto3 client of `service` here (made once)."""
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # the name is a variable
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",  # noqa: S106 - the emulator takes any
                config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 3}),
            )
        return self._clients[service]

    def start(self) -> None:
        """Start it and return when it answers.

        Raises:
            RuntimeError: it ended by itself; the message holds the end of its log.
        """
        self._process = start_group(_command(self.port, self._state), self.log, self.process_env)
        wait_until(self._answers, START_TIMEOUT_S, f"the emulator on {self.url}, log {self.log}")

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            msg = f"the emulator ended with {self._process.returncode}: {self.log.read_text()[-2000:]}"
            raise RuntimeError(msg)
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2) as reply:  # noqa: S310 - http, ours
                return bool(reply.status == 200)
        except OSError:
            return False

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """End it; its state is gone."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._process is not None:
            self.resume_quietly()
            stop_group(self._process, signal.SIGTERM, grace_s=5)
            self._process = None

    def resume_quietly(self) -> None:
        """`resume`, also when it has died meanwhile."""
        try:
            self.resume()
        except ProcessLookupError:
            return

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()


def _command(port: int, state: Path) -> list[str]:
    python = str(ROOT / "local" / ".venv" / "bin" / "python")
    return [python, "-m", "local", "emulator", "--port", str(port), "--state-dir", str(state / "state")]
