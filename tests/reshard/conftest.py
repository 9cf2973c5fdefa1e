"""Kinesis by kinesalite (it reshards as the real one does, the emulator does not), DynamoDB by the emulator."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.emulator import Emulator
from tests.integration.faust_kinesis.harness import Worker
from tests.reshard.kinesalite_server import Kinesalite, ReshardedStream
from tests.untested import skip_promise

TOOLS = Path(__file__).parent / "kinesalite"
PROMISE = "shards are split and merged while they are read"
StartWorker = Callable[..., Worker]


@pytest.fixture(scope="session")
def program() -> Path:
    """Install kinesalite from its lock, once; skip where there is no Node.js."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        skip_promise(PROMISE, missing="Node.js and npm, for kinesalite")
    found = TOOLS / "node_modules" / "kinesalite" / "cli.js"
    if not found.exists():
        done = subprocess.run(  # noqa: S603 - our own lock
            [npm, "ci", "--no-audit", "--no-fund"], cwd=TOOLS, capture_output=True, text=True, timeout=180, check=False
        )
        if done.returncode:
            skip_promise(PROMISE, missing=f"kinesalite, which npm could not install: {done.stderr.strip()[-300:]}")
    return found


@pytest.fixture(scope="session")
def kinesalite(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinesalite]:
    with Kinesalite(program, tmp_path_factory.mktemp("kinesalite") / "log") as running:
        yield running


@pytest.fixture
def app_id() -> str:
    return f"app-{uuid4().hex[:8]}"


@pytest.fixture
def stream(kinesalite: Kinesalite) -> ReshardedStream:
    return kinesalite.create_stream(shards=2)


@pytest.fixture
def worker(
    emulator: Emulator, kinesalite: Kinesalite, stream: ReshardedStream, app_id: str, tmp_path: Path
) -> Iterator[StartWorker]:
    """Start workers of one application; all are killed at the end."""
    started: list[Worker] = []
    env = emulator.process_env | {"AWS_ENDPOINT_URL_KINESIS": kinesalite.url}

    def start(name: str = "w", *, query: str = "lease=2&discover=1&batch=20", **settings: object) -> Worker:
        made = Worker(env, tmp_path, stream.name, app=app_id, name=name, query=query, **settings)
        started.append(made)
        made.start()
        return made

    yield start
    for each in started:
        each.kill()
