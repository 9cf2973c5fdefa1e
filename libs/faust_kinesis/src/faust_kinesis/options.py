"""What the broker URL says: `kinesis://<region>?option=value&...`, read once, frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from yarl import URL

from faust_kinesis.errors import OptionError

MEBIBYTE = 2**20
MAX_BATCH = 10_000  # what one GetRecords call may return
MAX_READS_PER_S = 5.0  # of a shard, by all who read it: Kinesis's limit

Start = Literal["TRIM_HORIZON", "LATEST"] | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All that can be said in a broker URL (the README's table)."""

    region: str
    table: str | None = None
    worker: str | None = None
    lease_s: float = 10.0
    exclusive: bool = False
    start: Start = "TRIM_HORIZON"
    batch: int = 500
    prefetch_bytes: int = 32 * MEBIBYTE
    idle_s: float = 10.0
    discover_s: float = 30.0
    reads_per_s: float = MAX_READS_PER_S
    polls_per_s: float = 400.0
    puts: int = 4

    @property
    def renew_s(self) -> float:
        """Seconds between two renewals of the leases."""
        return self.lease_s / 5

    def poll_s(self, shards: int) -> float:
        """Return the seconds between two polls of a shard that has nothing new, when so many are read."""
        return max(1 / min(self.reads_per_s, MAX_READS_PER_S), shards / self.polls_per_s)

    @classmethod
    def parse(cls, url: URL) -> "Options":
        """Read a broker URL.

        Raises:
            OptionError: an unknown option, one given twice, or a value it does not take.
        """
        if not url.host:
            msg = f"{url}: name the region, as in kinesis://us-east-1"
            raise OptionError(msg)
        unknown = sorted(set(url.query) - set(_READERS))
        if unknown:
            msg = f"unknown option {', '.join(unknown)} in the broker URL; there are {', '.join(sorted(_READERS))}"
            raise OptionError(msg)
        return cls(region=url.host, **_values(url.query))


def _values(query: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for name in dict.fromkeys(query):
        field, read = _READERS[name]
        given = query.getall(name) if hasattr(query, "getall") else [query[name]]
        if len(given) > 1:
            msg = f"option {name} is given {len(given)} times in the broker URL"
            raise OptionError(msg)
        try:
            values[field] = read(given[0])
        except ValueError as error:
            msg = f"option {name}={given[0]} in the broker URL: {error}"
            raise OptionError(msg) from error
    return values


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            msg = f"it must be between {least:g} and {most:g}"
            raise ValueError(msg)
        return value

    return read


def _integer(least: int, most: int, unit: int = 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            msg = f"it must be a whole number between {least} and {most}"
            raise ValueError(msg)
        return value * unit

    return read


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        msg = "it must be 0 or 1"
        raise ValueError(msg)
    return text == "1"


def _name(text: str) -> str:
    if not text or not all(c.isalnum() or c in "._-" for c in text):
        msg = "it must be letters, digits, '.', '_' or '-'"
        raise ValueError(msg)
    return text


def _start(text: str) -> Start:
    match text:
        case "TRIM_HORIZON" | "LATEST":
            return text
        case _:
            return _start_time(text)


def _start_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        msg = "it must be TRIM_HORIZON, LATEST or an ISO time like 2026-01-01T00:00:00Z"
        raise ValueError(msg) from error
    if time.tzinfo is None:
        msg = "the time needs its zone, as in 2026-01-01T00:00:00Z"
        raise ValueError(msg)
    return time.astimezone(UTC)


_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "table": ("table", _name),
    "worker": ("worker", _name),
    "lease": ("lease_s", _number(1, 3600)),
    "exclusive": ("exclusive", _flag),
    "start": ("start", _start),
    "batch": ("batch", _integer(1, MAX_BATCH)),
    "prefetch": ("prefetch_bytes", _integer(1, 4096, MEBIBYTE)),
    "idle": ("idle_s", _number(0.1, 86_400)),
    "discover": ("discover_s", _number(0.5, 3600)),
    "reads": ("reads_per_s", _number(0.1, 1000)),
    "polls": ("polls_per_s", _number(1, 100_000)),
    "puts": ("puts", _integer(1, 64)),
}
NAMES = tuple(_READERS)
