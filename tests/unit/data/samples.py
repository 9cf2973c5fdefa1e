"""The committed samples, and what DATA.md says about them."""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "data"
FILES = tuple(sorted(file.name for file in DATA.glob("*.csv.gz")))
FACT = re.compile(r"^\| (?!fact |-|column )(?P<fact>[^|]+?) \| (?P<value>[^|]+?) \|$", re.MULTILINE)

Row = dict[str, str]


def read(name: str) -> list[Row]:
    """Return the rows of a sample, every column as text."""
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def claims(name: str) -> Iterator[tuple[str, str]]:
    """Yield each fact and its value that DATA.md states about a sample."""
    section = (DATA / "DATA.md").read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for table in section.split("| fact | value |\n")[1:]:
        for found in FACT.finditer(table.partition("\n\n")[0]):
            yield found["fact"], found["value"].replace(",", "")


def facts(name: str) -> dict[str, str]:
    """Compute everything that DATA.md may state about a sample."""
    rows = read(name)
    return {
        "rows": str(len(rows)),
        "bytes of CSV": str(len(gzip.decompress((DATA / name).read_bytes()))),
        "first event_time": rows[0]["event_time"],
        "last event_time": rows[-1]["event_time"],
        **{f"{label}": str(distinct(rows, column)) for label, column in DISTINCT.items()},
        **by_type(rows),
        **windows(rows),
        **oddities(rows),
    }


DISTINCT = {
    "users": "user_id",
    "sessions": "user_session",
    "products": "product_id",
    "brands": "brand",
    "category codes": "category_code",
}


def distinct(rows: list[Row], column: str) -> int:
    """Count the different values of a column that are not empty."""
    return len({row[column] for row in rows if row.get(column)})


def by_type(rows: list[Row]) -> dict[str, str]:
    """Count the rows and add up the prices of each event type."""
    counts = Counter(row["event_type"] for row in rows)
    prices = {kind: sum((Decimal(r["price"]) for r in rows if r["event_type"] == kind), Decimal()) for kind in counts}
    return {**{kind: str(n) for kind, n in counts.items()}, **{f"price of {k}": str(p) for k, p in prices.items()}}


def windows(rows: list[Row]) -> dict[str, str]:
    """Count events per user and tumbling window; the texts of times are cut where a window of 10 s or 60 s ends."""
    tens = Counter((row["user_id"], row["event_time"][:18]) for row in rows)
    minutes = Counter((row["user_id"], row["event_time"][:16]) for row in rows)
    return {
        "user windows of 10 s": str(len(tens)),
        "most events of a user in 10 s": str(max(tens.values())),
        "user windows over 10": str(sum(n > 10 for n in tens.values())),
        "most events of a user in a minute": str(max(minutes.values())),
        "busiest minute": str(max(Counter(row["event_time"][:16] for row in rows).values())),
    }


def oddities(rows: list[Row]) -> dict[str, str]:
    """Count what a careless reader trips over."""
    times = [row["event_time"] for row in rows]
    owners = {(row["user_session"], row["user_id"]) for row in rows}
    per_session = Counter(session for session, _ in owners)
    return {
        "rows out of order": str(sum(later < earlier for earlier, later in pairwise(times))),
        "seconds with several events": str(sum(n > 1 for n in Counter(times).values())),
        "exact duplicates": str(len(rows) - len({tuple(row.values()) for row in rows})),
        "price zero": str(sum(Decimal(row["price"]) == 0 for row in rows)),
        "brand empty": str(sum(not row.get("brand") for row in rows)),
        "category_code empty": str(sum(not row.get("category_code") for row in rows)),
        "sessions of two users": str(sum(n > 1 for n in per_session.values())),
    }
