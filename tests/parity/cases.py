"""Streams to compare the engines on.

Many cases are one stream: each lies an hour or more after the one before it, so that none can touch another's windows,
and each has its own users.
"""

import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from hypothesis import given, settings

from storepulse.activity.actions import decode_actions
from storepulse.instants import format_instant, parse_instant
from tests.builders import START, heartbeat, payload
from tests.unit.storepulse.corpus import BAD
from tests.unit.storepulse.strategies import payloads

HOUR: Final = 3_600_000
WINDOW: Final = 10_000

#: Where clocks are changed, in Europe and America: nothing may happen there.
CLOCK_CHANGES: Final = [
    parse_instant(f"2026-{moment}:00:00.000Z") for moment in ("03-08T07", "03-29T01", "10-25T01", "11-01T06")
]

DATA: Final = Path(__file__).parents[2] / "data"

CORPUS: Final = [bad.payload for bad in BAD]
_BAD: Final = [record for record in CORPUS if len(record) < 10_000]


def stream(seed: int, cases: int, events: int) -> list[bytes]:
    """Return `cases` cases of about `events` records each, and a heartbeat that closes the last window."""
    random = Random(seed)
    starts = sorted([START + 2 * HOUR * n for n in range(cases)] + [each - 30_000 for each in CLOCK_CHANGES])
    records = [record for n, start in enumerate(starts) for record in _case(random, f"{seed}.{n}", start, events)]
    return [*records, heartbeat(starts[-1] + 24 * HOUR)]


def _case(random: Random, name: str, start: int, events: int) -> Iterator[bytes]:
    users = [f"{name}.{n}" for n in range(random.choice([1, 3, 30, 300]))]
    step, disorder = random.choice([1, 20, 300, 3_000]), random.choice([0, 500, 8_000, 15_000, 40_000])
    odd, now = random.choice([0.0, 0.02, 0.3]), start
    for _ in range(max(1, int(events * random.uniform(0.2, 1.8)))):
        now = min(now + int(random.expovariate(1 / step)), start + HOUR // 2)
        time = max(start, now - int(random.random() ** 3 * disorder))
        yield from records_at(random, users, time, odd)


def records_at(random: Random, users: Sequence[str], time: int, odd: float) -> Iterator[bytes]:
    """Yield a record of `time`, or, `odd` times of one, something else."""
    record = payload(user_id=random.choice(users), txn_timestamp=format_instant(time))
    if random.random() >= odd:
        yield record
        return
    match random.randrange(6):
        case 0:
            yield from [record] * random.choice([2, 3])
        case 1:
            yield from [record] * random.choice([9, 10, 11, 12, 40])
        case 2:
            yield heartbeat(time)
        case 3:
            yield random.choice(_BAD)
        case 4:
            edge = time - time % WINDOW + random.choice([-1, 0, 1, 9_999, WINDOW])
            yield payload(user_id=random.choice(users), txn_timestamp=format_instant(edge))
        case _:
            yield payload(user_id="Zoë 😀 \"'\\ \x00 \u2028", txn_timestamp=format_instant(time), brand="Ёлка")


def corpus() -> list[bytes]:
    """Return every record that is none, and what follows the last of them."""
    return [payload(user_id="before"), *CORPUS, payload(user_id="after"), heartbeat(START + HOUR)]


PRICES: Final = [
    *(f'"{text}"'.encode() for text in ("0", "0.00", "0.000000000001", "9999999999999", "9999999999999.999999999999")),
    *(b"0", b"-0.0", b"35.79", b"1e5", b"1E-5", b"1e-400", b"9999999999999", b"9999999999999.99", b"0." + b"1" * 40),
]
"""Prices as they may be written, as JSON."""


def otherwise() -> list[bytes]:
    """Return records that count though no producer of ours writes them so: other spacing, order, names and escapes."""
    record = payload(user_id="plain")
    users = [
        rb'"tab\t"',
        rb'"\u0041"',
        rb'"\ud83d\ude00"',
        rb'"a\"b"',
        rb'"\\"',
        '"\ufffd"'.encode(),
        b'" padded "',
        '"\u3000padded\u3000"'.encode(),
        '"\ufeff"'.encode(),
        '"\u200b"'.encode(),
        f'"{"u" * 256}"'.encode(),
        f'"{"😀" * 128}"'.encode(),
        '"Zoë"'.encode(),
        b'"{"',
    ]
    names = [b'"user_id" : "spaced"', b'"user\\u005fid":"escaped"', b'"user_id":"first","user_id":"last"']
    names += [
        b'"user_id":"first", "user_id" : "last"',
        b'"user_id":"u","x":{"user_id":"nested"}',
        b'"user_id":"u","x":"user_id"',
    ]
    names += [b'"x":{"user_id":"nested"},"user_id":"u"', b'"x":[{"user_id":"nested"}],"user_id" : "u"']
    return [
        record,
        msgspec.json.format(record, indent=2),
        *(record.replace(b'"plain"', user) for user in users),
        *(record.replace(b'"user_id":"plain"', name) for name in names),
        *(record[:-1] + b',"z":' + value + b"}" for value in (b"1e5", b"true", b"[]", b"{}", b"null", rb'"\u0000"')),
        *(record.replace(b'"35.79"', price) for price in PRICES),
        payload(user_id="plain", price=...),
        *(payload(user_id="plain", replay_shift_ms=shift) for shift in (None, 0, -1, 2**53, -(2**53))),
        heartbeat(START, price="free", replay_shift_ms=None),
        heartbeat(START, price=[1], replay_shift_ms=60_000),
        heartbeat(START)[:-1] + b',"user_id":null}',
        heartbeat(START)[:-1] + b',"x":{"user_id":"nobody"}}',
        heartbeat(START)[:-1] + b',"x":"user_id"}',
        heartbeat(START).replace(b":", b" : "),
        heartbeat(START + HOUR),
    ]


def drawn(examples: int) -> list[bytes]:
    """Return different payloads as Hypothesis draws them, many of them damaged, the others in order of their times."""
    found: dict[bytes, None] = {}

    @settings(derandomize=True, deadline=None, database=None, max_examples=examples)
    @given(payloads)
    def keep(record: bytes) -> None:
        found[record] = None

    keep()
    return sorted(found, key=lambda record: decode_actions([record]).times[0])


def real_rows() -> list[bytes]:
    """Return the rows of the two REES46 samples, stamped with their own times, to the second."""
    records: list[bytes] = []
    for sample in ("rees46_multicategory_2019-10-01.csv.gz", "rees46_cosmetics_4months.csv.gz"):
        with gzip.open(DATA / sample, "rt", encoding="utf-8", newline="") as lines:
            records += map(_record, csv.DictReader(lines))
    return [*records, heartbeat(START)]


def _record(row: dict[str, str]) -> bytes:
    time = f"{row['event_time'][:10]}T{row['event_time'][11:19]}.000Z"
    return msgspec.json.encode(row | {"txn_timestamp": time})
