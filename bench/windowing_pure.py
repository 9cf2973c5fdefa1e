"""What a record costs in the domain alone: decode, count, encode; no transport, one core.

Run it as ``python -m bench.windowing_pure [--records N] [--rounds N] [--json FILE] [--smoke]``. All candidates run in
this one process, one after the other, round by round, so that a slow moment of the machine hits each of them;
figures are medians of CPU time.
"""

import argparse
import json
import random
import statistics
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final

import msgspec
from bytewax.dataflow import Dataflow
from bytewax.operators import input as read
from bytewax.operators import key_on, output
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.testing import TestingSink, TestingSource, run_main

from storepulse.activity.actions import Actions, decode_actions
from storepulse.activity.codec import decode
from storepulse.activity.counts import WindowCount, encode_count
from storepulse.activity.events import Activity
from storepulse.instants import EPOCH, format_instant, parse_instant, to_datetime
from storepulse.streaming.aggregation import Fired, TumblingCount

SIZE, DELAY, LIMIT, BATCH = 10_000, 10_000, 10, 500
START: Final = 1_767_225_600_000
SHARD: Final = ["shard"]
BYTEWAX_SHARE: Final = 10  # bytewax gets every tenth of the records, or it would take most of the time


def records(n: int) -> list[bytes]:
    """Return `n` records of one shard, 1,000 a second of event time (a shard's limit), up to 2 s out of order."""
    draw = random.Random(20261001)
    return [_record(draw, START + 1000 + at - draw.randrange(2000) * (draw.random() < 0.05)) for at in range(n)]  # noqa: PLR2004 - one in twenty


def _record(draw: random.Random, at: int) -> bytes:
    event = {
        "event_time": "2019-10-01 00:00:00 UTC",
        "event_type": "view",
        "product_id": str(draw.randrange(10**6, 10**8)),
        "category_id": str(2_053_013_555_631_882_655 + draw.randrange(500)),
        "category_code": "electronics.smartphone",
        "brand": "samsung",
        "price": "130.76",
        "user_id": str(520_000_000 + draw.randrange(5_000)),
        "user_session": "4d3b30da-a5e4-49df-b1a8-ba5943f1dd33",
        "txn_timestamp": format_instant(at),
        "event_id": f"{draw.getrandbits(128):032x}",
    }
    return msgspec.json.encode(event)


def batched(data: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return `data` in batches as a shard is read."""
    return [data[at : at + BATCH] for at in range(0, len(data), BATCH)]


def count(batches: Sequence[Actions]) -> list[Fired]:
    """Count decoded batches; the last windows stay open."""
    windows = TumblingCount(SHARD, size=SIZE, delay=DELAY, limit=LIMIT)
    fired: list[Fired] = []
    for actions in batches:
        windows.add("shard", actions.users, actions.times, active=SHARD)
        fired += windows.fire(SHARD)
    return fired


def encode_finals(fired: Sequence[Fired]) -> list[bytes]:
    """Return the records of stream 2."""
    return [
        encode_count(WindowCount(user_id=user, num_actions=n, window_start=start, window_end=end))
        for window, counts in fired
        for start, end in [(format_instant(window.start), format_instant(window.end))]
        for user, n in counts.items()
    ]


def whole(data: Sequence[bytes]) -> list[bytes]:
    """Decode, count and encode, batch by batch."""
    windows = TumblingCount(SHARD, size=SIZE, delay=DELAY, limit=LIMIT)
    written: list[bytes] = []
    for batch in batched(data):
        actions = decode_actions(batch)
        windows.add("shard", actions.users, actions.times, active=SHARD)
        written += encode_finals(windows.fire(SHARD))
    return written


def one_at_a_time(data: Sequence[bytes]) -> list[bytes]:
    """Do the same with one call a record, as a stream of single messages would."""
    windows = TumblingCount(SHARD, size=SIZE, delay=DELAY, limit=LIMIT)
    written: list[bytes] = []
    for payload in data:
        event = decode(payload)
        assert isinstance(event, Activity)
        windows.add("shard", [event.user_id], [parse_instant(event.txn_timestamp)], active=SHARD)
        written += encode_finals(windows.fire(SHARD))
    return written


def bytewax_fold(data: Sequence[bytes]) -> list[Any]:
    """Count with bytewax, which closes the last windows at the end of its input."""
    flow, out = Dataflow("count"), list[Any]()
    decode_two = msgspec.json.Decoder(_Two).decode
    keyed = key_on("user", read("read", flow, TestingSource([decode_two(each) for each in data], BATCH)), _user)
    clock = EventClock(_time, wait_for_system_duration=timedelta(milliseconds=DELAY))
    windower = TumblingWindower(align_to=EPOCH, length=timedelta(milliseconds=SIZE))
    windows = fold_window("count", keyed, clock, windower, int, lambda n, _: n + 1, lambda a, b: a + b)
    output("out", windows.down, TestingSink(out))
    run_main(flow)
    return out


class _Two(msgspec.Struct):
    user_id: str
    txn_timestamp: str


def _user(event: _Two) -> str:
    return event.user_id


def _time(event: _Two) -> Any:  # noqa: ANN401 - bytewax is not typed here
    return to_datetime(parse_instant(event.txn_timestamp))


def measure(candidates: Mapping[str, tuple[Callable[[], object], int]], rounds: int) -> dict[str, float]:
    """Return each candidate's CPU microseconds a record, the median of `rounds` taken in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, (run, _) in candidates.items():
            start = process_time()
            run()
            seconds[name].append(process_time() - start)
    return {name: statistics.median(seconds[name]) / n * 1e6 for name, (_, n) in candidates.items()}


def open_user_bytes(users: int) -> float:
    """Return the bytes of memory that one user in an open window holds, key included, with `users` of them."""
    windows = TumblingCount(SHARD, size=SIZE, delay=DELAY, limit=LIMIT)
    tracemalloc.start()
    for first in range(0, users, BATCH):
        keys = [str(520_000_000 + user) for user in range(first, min(first + BATCH, users))]
        windows.add("shard", keys, [START] * len(keys), active=SHARD)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert windows.open_counts == users
    return held / users


def run(n: int, rounds: int, users: int) -> dict[str, dict[str, float]]:
    """Measure everything."""
    data = records(n)
    few = data[: n // BYTEWAX_SHARE]
    decoded = [decode_actions(batch) for batch in batched(data)]
    fired = count(decoded)
    finals = sum(len(counts) for _, counts in fired)
    micros = measure(
        {
            "decode": (lambda: [decode_actions(batch) for batch in batched(data)], n),
            "count": (lambda: count(decoded), n),
            "encode (a final)": (lambda: encode_finals(fired), max(finals, 1)),
            "whole": (lambda: whole(data), n),
            "one at a time": (lambda: one_at_a_time(few), len(few)),
            "bytewax fold_window": (lambda: bytewax_fold(few), len(few)),
        },
        rounds,
    )
    shares = {str(part): (partial(whole, data[: n // part]), n // part) for part in (4, 2, 1)}
    scale = measure(shares, rounds)
    return {
        "micros_per_record": micros,
        "records_per_second": {name: 1e6 / micro for name, micro in micros.items()},
        "times_as_fast_as": {name: micros[name] / micros["whole"] for name in ("one at a time", "bytewax fold_window")},
        "micros_per_record_by_share_of_input": {f"1/{part}": micro for part, micro in scale.items()},
        "bytes_per_open_user": {f"{part:,} users": open_user_bytes(part) for part in (users // 10, users)},
    }


def main() -> None:
    """Print the figures, and write them to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=1_000_000, help="in open windows, for memory")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--smoke", action="store_true", help="a tiny run: shows that it works, measures nothing")
    options = parser.parse_args()
    result = run(2_000, 1, 5_000) if options.smoke else run(options.records, options.rounds, options.users)
    for title, figures in result.items():
        print(title.replace("_", " "))
        for name, figure in figures.items():
            print(f"  {name:24} {figure:14,.3f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
