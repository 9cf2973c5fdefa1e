from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.emulator import Emulator
from tests.integration.faust_kinesis.faulty_proxy import FaultyProxy
from tests.integration.faust_kinesis.harness import Stream, Worker, create_stream

StartWorker = Callable[..., Worker]


@pytest.fixture
def app_id() -> str:
    return f"app-{uuid4().hex[:8]}"


@pytest.fixture
def stream(emulator: Emulator) -> Iterator[Stream]:
    made = create_stream(emulator)
    yield made
    emulator.client("kinesis").delete_stream(StreamName=made.name)


@pytest.fixture
def sink(emulator: Emulator) -> Iterator[Stream]:
    made = create_stream(emulator)
    yield made
    emulator.client("kinesis").delete_stream(StreamName=made.name)


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[FaultyProxy]:
    with FaultyProxy(emulator.url) as running:
        yield running


@pytest.fixture
def worker(emulator: Emulator, stream: Stream, app_id: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Start workers of one application; all are killed at the end."""
    started: list[Worker] = []

    def start(
        name: str = "w",
        *,
        env: dict[str, str] | None = None,
        stream: str = stream.name,
        query: str = "lease=1",
        **settings: object,
    ) -> Worker:
        environment = emulator.process_env | (env or {})
        made = Worker(environment, tmp_path, stream, app=app_id, name=name, query=query, **settings)
        started.append(made)
        made.start()
        return made

    yield start
    for each in started:
        each.kill()
