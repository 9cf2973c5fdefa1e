"""Every service's sink of bad events, in memory and on the emulated AWS, each with a way to see what it holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import msgspec
import pytest

from dead_letters.patience import Patience
from dead_letters.sink import DeadLetters
from detector.adapters.aws_clients import AwsClients
from detector.adapters.memory import MemoryBadEvents as DetectorMemory
from detector.adapters.sqs_bad_events import SqsBadEvents as DetectorBadEvents
from producer.adapters.memory import MemoryBadEvents as ProducerMemory
from producer.adapters.sqs_bad_events import SqsBadEvents as ProducerBadEvents
from storepulse.failures import BadEvent
from tests.emulator import REGION, Emulator
from tests.streams import drain
from windower.adapters.aws_clients import open_clients
from windower.adapters.memory import MemoryBadEvents as WindowerMemory

SERVICES = ("producer", "windower", "detector")
Put = Callable[[Sequence[BadEvent]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sink:
    """A service's port, and the bad events that it was given so far, their payloads in place wherever they are."""

    put: Put
    taken: Callable[[], list[BadEvent]]


@dataclass(frozen=True, slots=True)
class Place:
    """A queue and a bucket of one test's own, both called `name`."""

    aws: Emulator
    name: str
    queue_url: str

    def bodies(self) -> list[str]:
        """Take every message off the queue."""
        return drain(self.aws.client("sqs"), self.queue_url)

    def stored(self, key: str) -> bytes:
        """Return an object of the bucket."""
        return self.aws.client("s3").get_object(Bucket=self.name, Key=key)["Body"].read()

    def taken(self) -> list[BadEvent]:
        """Take every bad event off the queue, whole."""
        return [self._whole(msgspec.json.decode(body, type=BadEvent)) for body in self.bodies()]

    def _whole(self, event: BadEvent) -> BadEvent:
        if event.payload_url is None:
            return event
        bucket, _, key = event.payload_url.removeprefix("s3://").partition("/")
        assert (bucket, event.payload) == (self.name, "")
        payload = msgspec.to_builtins(self.stored(key))
        return msgspec.structs.replace(event, payload=payload, payload_url=None)


def create_place(aws: Emulator) -> Place:
    name = f"dead-letters-{uuid4().hex[:8]}"
    aws.client("s3").create_bucket(Bucket=name)
    return Place(aws, name, aws.client("sqs").create_queue(QueueName=name)["QueueUrl"])


@asynccontextmanager
async def opened(service: str, place: Place, endpoint: str, give_up_after_s: float = 30) -> AsyncIterator[Put]:
    """Yield what puts bad events as `service` does, calling `endpoint`."""
    if service == "detector":
        clients = AwsClients(region=REGION, endpoint=endpoint)
        sink = DetectorBadEvents(clients.sqs, place.queue_url, clients.s3, place.name)
        yield in_a_thread(sink.put)
        return
    async with open_clients(region=REGION, endpoint_url=endpoint) as aio:
        patience = Patience(give_up_after_s=give_up_after_s if service == "producer" else None)
        letters = DeadLetters(sqs=aio.sqs, s3=aio.s3, queue=place.name, bucket=place.name, patience=patience)
        yield ProducerBadEvents(letters).add if service == "producer" else letters.put


def in_a_thread(put: Callable[[Sequence[BadEvent]], None]) -> Put:
    return lambda bad: asyncio.to_thread(put, bad)


def in_memory(service: str) -> Sink:
    match service:
        case "producer":
            producer = ProducerMemory()
            return Sink(producer.add, lambda: producer.added)
        case "windower":
            windower = WindowerMemory()
            return Sink(windower.put, lambda: windower.taken)
        case _:
            detector = DetectorMemory()
            return Sink(in_a_thread(detector.put), lambda: detector.bad)


@pytest.fixture
def place(aws: Emulator) -> Place:
    return create_place(aws)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["memory", pytest.param("emulator", marks=pytest.mark.emulator)])
async def sink(request: pytest.FixtureRequest, service: str) -> AsyncIterator[Sink]:
    if request.param == "memory":
        yield in_memory(service)
        return
    place: Place = request.getfixturevalue("place")
    async with opened(service, place, place.aws.url) as put:
        yield Sink(put, place.taken)
