"""How long from a user's 11th action to the message: real windower, real KCL, real calls, over the emulator.

Each user acts 10 times in one PutRecords; later, at a random moment, comes the 11th action in a PutRecord of its own.
The latency is from just before that call until SNS has delivered the message into a queue. Other users' traffic goes on
beside it.
"""

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from storepulse.instants import format_instant
from tests.chain import Chain
from tests.emulator import wait_until
from tests.observed import SOURCE

TARGET_P50, TARGET_P99 = 1.0, 2.0


def now_ms() -> int:
    """Return the wall time in milliseconds."""
    return time.time_ns() // 1_000_000


def action(user: str) -> bytes:
    """Return an action of `user`, now."""
    return msgspec.json.encode({"user_id": user, "event_type": "view", "txn_timestamp": format_instant(now_ms())})


def background(chain: Chain, rate: int, stop: threading.Event) -> None:
    """Send other users' actions, `rate` a second, until `stop`."""
    kinesis = chain.emulator.client("kinesis")
    rng = random.Random(1)
    while not stop.wait(0.1):
        users = [str(rng.randrange(100_000)) for _ in range(rate // 10)]
        kinesis.put_records(StreamName=SOURCE, Records=[{"PartitionKey": user, "Data": action(user)} for user in users])


def in_one_window() -> None:
    """Wait until the present 10 s window has at least 5 s to go, so that all 11 actions fall into it."""
    left = 10 - time.time() % 10
    if left < 5:  # noqa: PLR2004 - half a window
        time.sleep(left + 0.01)


def measure(chain: Chain, users: int) -> list[float]:
    """Return each user's latency in seconds, ascending."""
    kinesis, rng = chain.emulator.client("kinesis"), random.Random(2)
    crossed: dict[str, float] = {}
    for number in range(users):
        user = f"fast-{number}"
        in_one_window()
        kinesis.put_records(
            StreamName=SOURCE, Records=[{"PartitionKey": str(number), "Data": action(user)} for _ in range(10)]
        )
        time.sleep(rng.uniform(0.1, 0.8))
        crossed[user] = time.time()
        kinesis.put_record(StreamName=SOURCE, PartitionKey=str(number), Data=action(user))
    told: dict[str, float] = {}

    def all_told() -> bool:
        told.update({alert.user_id: at for alert, at in chain.take_messages()})
        return told.keys() >= crossed.keys()

    wait_until(all_told, 60, "every alert", 0.2)
    return sorted(told[user] - moment for user, moment in crossed.items())


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=100)
    arguments.add_argument("--rate", type=int, default=200, help="actions a second of other users")
    arguments.add_argument("--smoke", action="store_true")
    arguments.add_argument("--json", type=Path)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, Chain(Path(folder)) as chain:
        stop = threading.Event()
        traffic = threading.Thread(target=background, args=(chain, chosen.rate, stop))
        traffic.start()
        try:
            latencies = measure(chain, 3 if chosen.smoke else chosen.users)
        finally:
            stop.set()
            traffic.join()
    p50, p99 = statistics.median(latencies), latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))]
    print(f"{len(latencies)} users, {chosen.rate} other actions/s; from the 11th action's PutRecord to SNS:")
    for name, value, target in (("p50", p50, TARGET_P50), ("p99", p99, TARGET_P99)):
        verdict = "met" if value < target else "missed"
        print(f"  {name} {value * 1000:6.0f} ms wall (target {target * 1000:.0f}: {verdict})")
    print(f"  max {latencies[-1] * 1000:6.0f} ms wall")
    if chosen.json:
        chosen.json.write_text(json.dumps({"p50_s": p50, "p99_s": p99, "latencies_s": latencies}))


if __name__ == "__main__":
    main()
