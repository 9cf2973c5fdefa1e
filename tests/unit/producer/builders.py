"""Files to replay."""

from storepulse.replay.event_times import format_event_time
from storepulse.replay.rows import COLUMNS

FIRST = 1_569_888_000_000  # 2019-10-01 00:00:00 UTC
HEADER = ",".join(COLUMNS).encode()


def row(second: int, *, user: int = 1, category: int = 1, price: str = "1.50") -> bytes:
    """Return a row so many seconds after the first event time."""
    time = format_event_time(FIRST + second * 1000)
    return f"{time},view,{1000 + user},{2053013552326770000 + category},,acme,{price},{user},s-{user}".encode()


def csv_text(rows: list[bytes]) -> bytes:
    """Return a file of rows."""
    return b"\n".join([HEADER, *rows, b""])
