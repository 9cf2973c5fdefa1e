"""What the producer needs of the world. Adapters keep these promises; `tests/contract/producer` holds them to it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from producer.stamps import Stamps
from producer.state import ReplayState
from storepulse.failures import BadEvent


class Shard(NamedTuple):
    """An open shard and the hash keys it takes, both ends included."""

    shard_id: str
    start: int
    end: int


class Entry(NamedTuple):
    """One record to be put."""

    payload: bytes
    key: str  # the partition key
    hash_key: str | None = None  # decides the shard in place of the key
    event_id: str = ""  # empty for a heartbeat
    row: int = -1  # place in the replay


class Put(NamedTuple):
    """What became of one record of a request: accepted (`sequence_number`), or refused for now (`error`)."""

    shard_id: str
    sequence_number: str
    error: str = ""
    http_status: int = 200  # of the request that it went in


class Stream(Protocol):
    """The stream that is replayed into."""

    async def shards(self) -> list[Shard]:
        """Return the open shards, in the order of their hash keys."""

    async def put(self, entries: Sequence[Entry]) -> list[Put]:
        """Put 500 records/5 MB at most in one request, tried once; one answer for each, in order.

        Raises:
            UnansweredError: the request may have been carried out.
            UnreachableError: it was not.
            DeliveryError: it never will be.
        """

    def tail(self, after: Mapping[str, str], since: datetime, until: datetime) -> AsyncGenerator[bytes, None]:
        """Yield the records of all shards from a position to the end that the stream has now.

        Args:
            after: per shard the sequence number after which to start.
            since: the arrival time from which to read shards without one.
            until: records that arrived later are not wanted.
        """


class BadEvents(Protocol):
    """Where rows go that are no events."""

    async def add(self, bad: Sequence[BadEvent]) -> None:
        """Keep every one of `bad`, then return; one that was added before may be kept twice.

        Raises:
            DeliveryError: it cannot be done.
        """


class SourceFile(NamedTuple):
    """A file to replay."""

    url: str
    size: int  # bytes
    version: str  # changes when the content does


class Sources(Protocol):
    """Where files are read from."""

    async def find(self, url: str) -> list[SourceFile]:
        """Return the files that `url` names, in order; at least one.

        Raises:
            SourceError: there is none, or it may not be read.
        """

    def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        """Yield the file's bytes in order, in bounded pieces, over broken connections.

        Raises:
            SourceError: it is gone, or has changed since it was found.
        """

    async def load(self, url: str, limit: int) -> bytes:
        """Return a small file whole.

        Raises:
            SourceError: it has more than `limit` bytes, or cannot be read.
        """

    async def store(self, url: str, content: bytes) -> None:
        """Write a small file.

        Raises:
            SourceError: it may not be written.
        """


class StateStore(Protocol):
    """Where the state of replays is kept, so that a killed one can go on."""

    async def load(self, replay_id: str) -> ReplayState | None:
        """Return what was saved last, or None.

        Raises:
            StateError: what is there cannot be read.
        """

    async def save(self, state: ReplayState) -> None:
        """Put `state` in place of the last one, whole or not at all.

        Raises:
            StateError: it cannot be written.
        """


class StampStore(Protocol):
    """Where all producers of one stream keep what they have stamped it with."""

    async def load(self) -> tuple[Stamps, str]:
        """Return what was saved last, and its version: `Stamps()` and "" for nothing yet.

        Raises:
            StateError: what is there cannot be read.
        """

    async def save(self, stamps: Stamps, version: str) -> bool:
        """Put `stamps` in place of `version`, whole or not at all; False when that is no longer the last one.

        Raises:
            StateError: it cannot be written.
        """
