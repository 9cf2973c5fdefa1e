"""The whole platform in containers: a compose project of its own, on free ports, gone afterwards."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from tests.containers.engine import Container, docker
from tests.emulator import ROOT, Emulator, free_port, wait_until
from tests.observed import BOTS, RAW_BUCKET, SAMPLE, Observed

SERVICES = ("producer", "windower", "detector")
LABELS = f"s3://{RAW_BUCKET}/labels/sample.json"
UP_WITHIN_S = 300


class Platform(Observed):
    """`docker compose up --wait`, and a look at the account from outside; `with` leaves nothing running."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Start nothing yet; `settings` are variables that docker-compose.yml reads."""
        super().__init__(Emulator(folder))  # its address and clients: the process is a container's
        self.ports = {"emulator": self.emulator.port} | {name: free_port() for name in SERVICES}
        self.project = f"storepulse-test-{secrets.token_hex(4)}"
        ports = {f"LOCAL_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        self.environment = ports | settings | {"COMPOSE_PROJECT_NAME": self.project}

    def __enter__(self) -> Self:
        """Start everything and return when it is ready."""
        try:
            self.compose("up", "--wait", timeout_s=UP_WITHIN_S)
            self.subscribe()
        except BaseException as error:
            error.add_note(self.log_ends())
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End and remove everything: containers, network, volumes."""
        self.stop()

    def stop(self) -> None:
        """End and remove everything."""
        self.emulator.stop()
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "3")

    def compose(self, *arguments: str, timeout_s: float = 180, **more: str) -> str:
        """Run `docker compose` on this project; `more` variables for this time."""
        environment: Mapping[str, str] = self.environment | more
        return docker("compose", *arguments, environment=environment, timeout_s=timeout_s)

    def container(self, service: str) -> Container:
        """Return the container of a service."""
        return Container(f"{self.project}-{service}-1", service, f"{self.project}_default")

    def log_ends(self) -> str:
        """Return the end of every container's log."""
        return self.compose("logs", "--tail", "12", "--no-color")

    def url(self, service: str) -> str:
        """Return where a service's pages are on this machine."""
        return f"http://127.0.0.1:{self.ports[service]}"

    # -- replays of the sample with its bots

    def replay_from_command_line(self, speed: int) -> str:
        """Replay it as a person would, to the end, and return what the producer says."""
        options = ("--clock", "event", "--anchor", "end", "--speed", str(speed))
        files = [f"/data/{name}" for name in SAMPLE]
        bots = ("--inject", f"/data/{BOTS}", "--labels", LABELS)
        return self.compose("run", "--rm", "-T", "producer", "replay", *files, *options, *bots, timeout_s=400)

    def replay(self, speed: int) -> "Replay":
        """Begin to replay it over HTTP."""
        for name in (*SAMPLE, BOTS):
            self.emulator.client("s3").upload_file(str(ROOT / "data" / name), RAW_BUCKET, f"raw/{name}")
        options = {
            "sources": [f"s3://{RAW_BUCKET}/raw/{name}" for name in SAMPLE],
            "clock": "event",
            "anchor": "end",
            "speed": speed,
            "inject": f"s3://{RAW_BUCKET}/raw/{BOTS}",
            "labels": LABELS,
        }
        return Replay(self.url("producer"), options)

    def labels(self) -> list[dict[str, Any]]:
        """Return what is true of the planted bots."""
        bucket, _, key = LABELS.removeprefix("s3://").partition("/")
        body = self.emulator.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        found: list[dict[str, Any]] = msgspec.json.decode(body)["bots"]
        return found


class Replay:
    """A replay over HTTP, resumed whenever its producer was stopped or killed."""

    def __init__(self, url: str, options: Mapping[str, object]) -> None:
        """Start it."""
        self._client = httpx.Client(base_url=url, timeout=10)
        reply = self._client.post("/replays", json=options)
        assert reply.status_code == httpx.codes.CREATED, reply.text
        self._path = f"/replays/{reply.json()['replay_id']}"
        self.resumed = 0

    def phase(self) -> str:
        """Return how far it is; resume it when it does not go on by itself, `away` when nobody answers."""
        try:
            reply = self._client.get(self._path)
            phase = str(reply.json()["phase"]) if reply.is_success else "unknown"
            if phase in {"unknown", "stopped", "failed"} and self._client.post(f"{self._path}/resume").is_success:
                self.resumed += 1
        except httpx.TransportError:
            return "away"
        return phase

    def finish(self, timeout_s: float) -> None:
        """Return when all of it is sent."""
        wait_until(lambda: self.phase() == "finished", timeout_s, "the replay is finished", 0.5)
        self._client.close()
