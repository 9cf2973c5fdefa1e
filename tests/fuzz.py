"""Records as nobody should send them: seeded, fast, and each known to be good or bad by the domain's own codec."""

import random
from collections.abc import Callable, Iterator

import msgspec

from storepulse.activity.actions import decode_actions
from storepulse.instants import format_instant

START_MS = 1_767_225_600_000  # 2026-01-01
STEP_MS = 2
ODD_TEXT = (
    "a#appserver#1",
    "ü",
    "用户",
    "\x00",
    "\x7f",
    "x" * 256,
    '"',
    "\\",
    "userid#",
    " x ",
    "-0",
    "1e5",
    "🙂",
    "null",
)
BAD_TEXT = ("", "x" * 257, " ", "\u3000")
BAD_PRICES: tuple[object, ...] = (None, "a lot", [], "1e5", "-1", -1, "1_000", "٣", "NaN", "9" * 400)
FAR_FUTURE = "9999-12-31T23:59:59.999Z"
KPL_MAGIC = b"\xf3\x89\x9a\xc2"

Mutation = Callable[[random.Random, bytes], bytes]


def good(rng: random.Random, at: int) -> bytes:
    """Return a record that counts, perhaps of an odd user, perhaps with odd other fields."""
    user = rng.choice(ODD_TEXT) if rng.random() < 0.02 else str(rng.randrange(400))
    record: dict[str, object] = {
        "event_type": rng.choice(("view", "cart", "purchase", "no such type")),
        "user_id": user,
        "price": rng.choice(("1.5", 1.5, "0", 0, "1999.90")),
        "txn_timestamp": format_instant(at),
    }
    if rng.random() < 0.1:
        record["deep"] = [[[[{"a": [1, 2, {"b": None}]}]]]]
    return msgspec.json.encode(record)


def flip(rng: random.Random, record: bytes) -> bytes:
    """Change one byte."""
    place = rng.randrange(len(record))
    return record[:place] + bytes([rng.randrange(256)]) + record[place + 1 :]


def cut(rng: random.Random, record: bytes) -> bytes:
    """End too early."""
    return record[: rng.randrange(1, len(record))]


def twice(_: random.Random, record: bytes) -> bytes:
    """Hold two objects."""
    return record + record


def noise(rng: random.Random, _: bytes) -> bytes:
    """Return bytes that mean nothing, at times with the mark of a KPL aggregate in front."""
    return (KPL_MAGIC if rng.random() < 0.2 else b"") + rng.randbytes(rng.randrange(1, 200))


def deep(rng: random.Random, _: bytes) -> bytes:
    """Nest without end."""
    return rng.choice((b"[", b'{"a":')) * rng.randrange(2_000, 20_000)


def retyped(rng: random.Random, record: bytes) -> bytes:
    """Give a needed field a value that it cannot have."""
    fields = msgspec.json.decode(record)
    fields[rng.choice(("user_id", "txn_timestamp"))] = rng.choice((None, 5, 1.5, True, [], {}, *BAD_TEXT, "yesterday"))
    return msgspec.json.encode(fields)


def overpriced(rng: random.Random, record: bytes) -> bytes:
    """Cost what nothing costs."""
    return msgspec.json.encode(msgspec.json.decode(record) | {"price": rng.choice(BAD_PRICES)})


def without(rng: random.Random, record: bytes) -> bytes:
    """Leave a needed field out."""
    fields = msgspec.json.decode(record)
    del fields[rng.choice(("user_id", "txn_timestamp"))]
    return msgspec.json.encode(fields)


def other_time(rng: random.Random, record: bytes) -> bytes:
    """Write the time in a form that is none."""
    fields = msgspec.json.decode(record)
    time = fields["txn_timestamp"]
    fields["txn_timestamp"] = rng.choice(
        (
            time[:-1],
            time[:-1] + "+02:00",
            time.replace("T", " "),
            time[:19] + "Z",
            "2026-02-30T00:00:00.000Z",
            time + " ",
        )
    )
    return msgspec.json.encode(fields)


def nan(_: random.Random, record: bytes) -> bytes:
    """Hold a number that JSON does not have."""
    return record[:-1] + b',"x":NaN}'


def far_future(_: random.Random, record: bytes) -> bytes:
    """Have happened in the year 9999."""
    return msgspec.json.encode(msgspec.json.decode(record) | {"txn_timestamp": FAR_FUTURE})


MUTATIONS: tuple[Mutation, ...] = (
    flip,
    cut,
    twice,
    noise,
    deep,
    retyped,
    overpriced,
    without,
    other_time,
    nan,
    far_future,
)


def records(seed: int, n: int, *, bad_share: float) -> Iterator[tuple[bytes, bool]]:
    """Yield `n` records in time order, each with whether it counts.

    A mutated record that happens to be good, but of another time, is not used: it could make the ones after it late.
    """
    rng = random.Random(seed)
    for number in range(n):
        record = good(rng, START_MS + number * STEP_MS)
        if rng.random() < bad_share:
            mutated = rng.choice(MUTATIONS)(rng, record)
            if FAR_FUTURE.encode() in mutated or decode_actions([mutated]).bad:
                yield mutated, False
                continue
        yield record, True
