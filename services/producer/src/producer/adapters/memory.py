"""All ports in memory: for tests, and for trying a replay with nothing running."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5

from producer.errors import SourceError
from producer.ports import Entry, Put, Shard, SourceFile
from producer.stamps import Stamps
from producer.state import ReplayState
from servicekit.clock import Clock, SystemClock
from storepulse.failures import BadEvent

_KEYS = 2**128


@dataclass(frozen=True)
class Stored:
    """A record in a shard."""

    sequence_number: int
    arrived: datetime
    payload: bytes


class MemoryStream:
    """A stream of a few shards."""

    def __init__(self, shards: int = 2, clock: Clock | None = None) -> None:
        """Cut the hash keys into `shards` equal ranges."""
        self._clock = clock or SystemClock()
        self._shards: list[Shard] = []
        self.records: dict[str, list[Stored]] = {}
        self._next = 0
        self.reshard(shards)

    def reshard(self, shards: int) -> None:
        """Close all shards and cut the hash keys into `shards` new ones; what the old ones hold stays."""
        size, before = _KEYS // shards, len(self.records)
        self._shards = [Shard(f"shardId-{before + n:012d}", n * size, (n + 1) * size - 1) for n in range(shards)]
        self.records |= {shard.shard_id: [] for shard in self._shards}

    async def shards(self) -> list[Shard]:
        """See the port."""
        return list(self._shards)

    async def put(self, entries: Sequence[Entry]) -> list[Put]:
        """See the port."""
        return [self._store(entry) for entry in entries]

    def _store(self, entry: Entry) -> Put:
        hashed = md5(entry.key.encode(), usedforsecurity=False).digest()
        position = int.from_bytes(hashed, "big") if entry.hash_key is None else int(entry.hash_key)
        shard = next((each for each in self._shards if each.start <= position <= each.end), self._shards[-1])
        self._next += 1
        self.records[shard.shard_id].append(Stored(self._next, self._clock.now(), entry.payload))
        return Put(shard.shard_id, str(self._next))

    async def tail(self, after: Mapping[str, str], since: datetime, until: datetime) -> AsyncGenerator[bytes, None]:
        """See the port."""
        for shard_id, records in self.records.items():
            start = int(after[shard_id]) if shard_id in after else None
            for record in records:
                wanted = record.arrived >= since if start is None else record.sequence_number > start
                if wanted and record.arrived <= until:
                    yield record.payload


@dataclass
class MemoryBadEvents:
    """A list of bad events."""

    added: list[BadEvent] = field(default_factory=list)

    async def add(self, bad: Sequence[BadEvent]) -> None:
        """See the port."""
        self.added += bad


class MemorySources:
    """Files by their URL; those whose URL begins with a prefix that ends in `/` are under it."""

    def __init__(self, files: Mapping[str, bytes], piece: int = 65_536) -> None:
        """Hold `files`, read `piece` bytes at a time."""
        self.files = dict(files)
        self._piece = piece

    async def find(self, url: str) -> list[SourceFile]:
        """See the port."""
        found = sorted(name for name in self.files if name == url or (url.endswith("/") and name.startswith(url)))
        if not found:
            msg = f"{url}: no such file"
            raise SourceError(msg)
        return [SourceFile(name, len(self.files[name]), md5(self.files[name]).hexdigest()) for name in found]  # noqa: S324

    async def read(self, file: SourceFile) -> AsyncGenerator[bytes, None]:
        """See the port."""
        content = self.files[file.url]
        for start in range(0, len(content), self._piece):
            yield content[start : start + self._piece]

    async def load(self, url: str, limit: int) -> bytes:
        """See the port."""
        (file,) = (await self.find(url))[:1]
        if file.size > limit:
            msg = f"{url}: {file.size:,} bytes; {limit:,} at most"
            raise SourceError(msg)
        return self.files[file.url]

    async def store(self, url: str, content: bytes) -> None:
        """See the port."""
        self.files[url] = content


@dataclass
class MemoryStates:
    """States by their replay's id."""

    states: dict[str, ReplayState] = field(default_factory=dict)

    async def load(self, replay_id: str) -> ReplayState | None:
        """See the port."""
        return self.states.get(replay_id)

    async def save(self, state: ReplayState) -> None:
        """See the port."""
        self.states[state.replay_id] = state


@dataclass
class MemoryStamps:
    """What was stamped, and how often it was changed."""

    stamps: Stamps = field(default_factory=Stamps)
    changes: int = 0

    async def load(self) -> tuple[Stamps, str]:
        """See the port."""
        return self.stamps, str(self.changes or "")

    async def save(self, stamps: Stamps, version: str) -> bool:
        """See the port."""
        if version != str(self.changes or ""):
            return False
        self.stamps, self.changes = stamps, self.changes + 1
        return True
