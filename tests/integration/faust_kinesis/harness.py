"""The Faust application of `worker_app` as a process, and a stream for it to read."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aws_kinesis_agg.aggregator import RecordAggregator

from tests.emulator import Emulator, start_group, stop_group, wait_until

APP = Path(__file__).parent / "worker_app.py"
PUT_RECORDS = 500
READ_WITHIN_S = 30.0


@dataclass(slots=True)
class Stream:
    """A stream of the emulator, and what was put into it."""

    emulator: Emulator
    name: str
    put: list[str] = field(default_factory=list)

    def send(self, payloads: Iterable[str]) -> None:
        """Put `payloads`, each under itself as the partition key."""
        sent = list(payloads)
        for first in range(0, len(sent), PUT_RECORDS):
            some = sent[first : first + PUT_RECORDS]
            entries: Any = [{"Data": text.encode(), "PartitionKey": text[:256]} for text in some]
            reply = self.emulator.client("kinesis").put_records(StreamName=self.name, Records=entries)
            assert not reply["FailedRecordCount"]
        self.put += sent

    def send_aggregate(self, payloads: Iterable[str]) -> None:
        """Put `payloads` as the KPL does: in one Kinesis record."""
        aggregator, sent = RecordAggregator(), list(payloads)
        for text in sent:
            aggregator.add_user_record(text, text.encode())
        key, _, data = aggregator.clear_and_get().get_contents()
        self.emulator.client("kinesis").put_record(StreamName=self.name, PartitionKey=key, Data=data)
        self.put += sent

    def contents(self) -> list[str]:
        """Everything in the stream."""
        kinesis, found = self.emulator.client("kinesis"), []
        for shard in kinesis.list_shards(StreamName=self.name)["Shards"]:
            iterator = kinesis.get_shard_iterator(
                StreamName=self.name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while records := (page := kinesis.get_records(ShardIterator=iterator))["Records"]:
                found += [record["Data"].decode() for record in records]
                iterator = page["NextShardIterator"]
        return found


def create_stream(emulator: Emulator, shards: int = 2) -> Stream:
    name = f"s-{uuid4().hex[:8]}"
    emulator.client("kinesis").create_stream(StreamName=name, ShardCount=shards)
    return Stream(emulator, name)


class Worker:
    """One worker process; its files stay when it is killed, and the next one with the same name goes on with them."""

    def __init__(
        self,
        env: Mapping[str, str],
        folder: Path,
        stream: str,
        *,
        app: str,
        name: str = "w",
        query: str = "lease=1",
        **settings: object,
    ) -> None:
        self.out = folder / f"{name}.jsonl"
        self.log = folder / f"{name}.log"
        self._env = dict(env)
        self._settings = settings | {
            "app": app,
            "broker": f"kinesis://us-east-1?{query}",
            "stream": stream,
            "out": str(self.out),
            "datadir": str(folder / f"{name}-data"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: object) -> None:
        command = [
            sys.executable,
            str(APP),
            "worker",
            "--without-web",
            "-l",
            "info",
            json.dumps(self._settings | settings),
        ]
        self.process = start_group(command, self.log, self._env)

    def lines(self) -> list[dict[str, Any]]:
        text = self.out.read_text() if self.out.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def payloads(self) -> list[str]:
        return [payload for line in self.lines() for payload in line["payloads"]]

    def state(self) -> dict[str, Any]:
        path = self.out.with_suffix(".state")
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def shards(self) -> list[str]:
        return list(self.state().get("shards", []))

    def wait_for(self, payloads: Iterable[str], within_s: float = READ_WITHIN_S) -> None:
        wait_for_all([self], payloads, within_s)

    def assert_running(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]

    def freeze(self) -> None:
        """SIGSTOP: alive, and doing nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`, without its last report of before."""
        assert self.process is not None
        self.out.with_suffix(".state").unlink(missing_ok=True)
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            stop_group(self.process, signal.SIGKILL)
        self.out.with_suffix(".state").unlink(missing_ok=True)

    def stop(self) -> int:
        """SIGTERM; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self.out.with_suffix(".state").unlink(missing_ok=True)
        return code


def wait_for_all(workers: list[Worker], payloads: Iterable[str], within_s: float = READ_WITHIN_S) -> None:
    """Return when the workers together have read each of `payloads` at least as often as it is given."""
    expected = Counter(payloads)

    def read() -> bool:
        for worker in workers:
            if worker.process is not None and worker.process.poll() not in (None, -signal.SIGKILL, 0):
                worker.assert_running()
        return not expected - Counter(payload for worker in workers for payload in worker.payloads())

    logs = ", ".join(str(worker.log) for worker in workers)
    wait_until(read, within_s, f"{sum(expected.values())} records to be read; see {logs}", every_s=0.2)


def leases(emulator: Emulator, app: str) -> dict[str, dict[str, str]]:
    """The lease table's rows, by shard id."""
    items: list[Any] = emulator.client("dynamodb").scan(TableName=app, ConsistentRead=True)["Items"]
    rows = [{name: str(next(iter(value.values()))) for name, value in item.items()} for item in items]
    return {row["shard_id"]: row for row in rows if "shard_id" in row}
