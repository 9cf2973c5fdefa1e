"""The whole chain over an emulated account of its own: emulator, data stack, windower, detector, producer."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from storepulse.detection.alerts import Alert
from storepulse.failures import BadEvent, FailureKind
from tests.emulator import ROOT, Emulator, stop_group, wait_until
from tests.processes import ServiceProcess
from tests.streams import Key, drain_bad_events, exact_counts, read

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputPaginateTypeDef

SOURCE, SINK = "ecommerce-raw-user-activity-stream-1", "ecommerce-raw-user-activity-stream-2"
ACCOUNT = "000000000000"
COUNTS_TABLE, ALERTS_TABLE = "storepulse-user-actions-local", "storepulse-alerts-local"
BAD_EVENTS, RAW_BUCKET = "storepulse-bad-events-local", f"storepulse-raw-local-{ACCOUNT}"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:storepulse-alerts-local"
LIMIT = 10


class _Envelope(msgspec.Struct):
    message: str = msgspec.field(name="Message")


class Chain:
    """Everything between a CSV file and an alert; `with` starts it and leaves nothing running."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet; logs and states go to `folder`."""
        self.folder = folder
        self.emulator = Emulator(folder)
        self.messages: list[Alert] = []
        self.bad: dict[str, BadEvent] = {}
        self._mailbox = ""
        self.windower: ServiceProcess
        self.detector: ServiceProcess

    def __enter__(self) -> Self:
        """Start the account, its resources and both services, and wait until they are ready."""
        try:
            self.emulator.start()
            self._deploy()
            self._subscribe()
            environment = self.emulator.process_env
            wiring = {"WINDOWER_BAD_EVENTS_QUEUE": BAD_EVENTS, "WINDOWER_BAD_EVENTS_BUCKET": RAW_BUCKET}
            lively = {"WINDOWER_LEASE": "3", "WINDOWER_COMMIT_INTERVAL": "0.5"}
            self.windower = ServiceProcess("windower", environment | wiring | lively, self.folder).start()
            self.detector = ServiceProcess("detector", environment, self.folder).start()
            self.windower.until_ready()
            self.detector.until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.stop()

    def stop(self) -> None:
        """End everything that was started."""
        for service in (getattr(self, name, None) for name in ("windower", "detector")):
            if service is not None:
                service.stop()
        self.emulator.stop()

    def _deploy(self) -> None:
        python = str(ROOT / "local" / ".venv" / "bin" / "python")
        subprocess.run(  # noqa: S603 - our own command
            [python, "-m", "local", "deploy", "--port", str(self.emulator.port)],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=self.emulator.process_env,
        )

    def _subscribe(self) -> None:
        sqs = self.emulator.client("sqs")
        self._mailbox = sqs.create_queue(QueueName="test-mailbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.emulator.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)

    # -- the producer

    def start_replay(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start the producer's command line."""
        log = self.folder / "producer.log"
        environment = self.emulator.process_env | {
            "PRODUCER_RAW_BUCKET": RAW_BUCKET,
            "PRODUCER_BAD_EVENTS_QUEUE": BAD_EVENTS,
            "PRODUCER_STATE_FOLDER": str(self.folder / "state"),
        }
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "producer", "replay", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def replay(self, *arguments: str, timeout_s: float = 240) -> None:
        """Replay to the end."""
        process = self.start_replay(*arguments)
        try:
            assert process.wait(timeout_s) == 0, (self.folder / "producer.log").read_text()[-3000:]
        finally:
            stop_group(process)

    # -- what came of it

    def sent(self) -> list[bytes]:
        """Return every record in stream 1 that is no heartbeat."""
        return [data for data in read(self.emulator.client("kinesis"), SOURCE) if b'"heartbeat"' not in data]

    def counts(self) -> dict[Key, int]:
        """Return the final counts in DynamoDB."""
        found: dict[Key, int] = {}
        scan: ScanInputPaginateTypeDef = {"TableName": COUNTS_TABLE}
        for page in self.emulator.client("dynamodb").get_paginator("scan").paginate(**scan):
            for item in page["Items"]:
                if item["kind"]["S"] == "final":
                    user = item["pk"]["S"].removeprefix("userid#").rpartition("#appserver#")[0]
                    found[user, item["window_start"]["S"]] = int(item["num_actions"]["N"])
        return found

    def take_messages(self) -> list[tuple[Alert, float]]:
        """Take the alerts that SNS delivered, each with when (epoch seconds; the emulator's SNS stamps whole ones)."""
        sqs = self.emulator.client("sqs")
        taken: list[tuple[Alert, float]] = []
        while messages := sqs.receive_message(
            QueueUrl=self._mailbox, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
        ).get("Messages", []):
            for message in messages:
                envelope = msgspec.json.decode(message["Body"], type=_Envelope)
                alert = msgspec.json.decode(envelope.message, type=Alert)
                taken.append((alert, int(message["Attributes"]["SentTimestamp"]) / 1000))
                sqs.delete_message(QueueUrl=self._mailbox, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def collect(self) -> None:
        """Take the alerts and the bad events that have come."""
        self.messages.extend(alert for alert, _ in self.take_messages())
        sqs = self.emulator.client("sqs")
        url = sqs.get_queue_url(QueueName=BAD_EVENTS)["QueueUrl"]
        self.bad |= {event.bad_event_id: event for event in drain_bad_events(sqs, url)}

    def until_accounted(self, events: int, timeout_s: float = 120) -> None:
        """Wait until every one of `events` is counted, bad or late."""

        def closes() -> bool:
            self.collect()
            return sum(self.counts().values()) + len(self.bad) >= events

        try:
            wait_until(closes, timeout_s, "the accounting closes", 1.0)
        except TimeoutError as error:
            message = (
                f"{events} in, {sum(self.counts().values())} counted, {len(self.bad)} bad\n"
                f"windower:\n{self.windower.tail()}\ndetector:\n{self.detector.tail()}"
            )
            raise AssertionError(message) from error

    def exact(self) -> dict[Key, int]:
        """Return the exact answer: what stream 1 holds, without the records reported late."""
        late = [event.raw() for event in self.bad.values() if event.kind is FailureKind.LATE]
        expected = Counter(exact_counts(self.sent()))
        expected.subtract(exact_counts(late))
        return {key: n for key, n in expected.items() if n}

    def alerts(self) -> dict[str, dict[str, str]]:
        """Return every stored alert by its id: user, status, window start."""
        found = {}
        for page in self.emulator.client("dynamodb").get_paginator("scan").paginate(TableName=ALERTS_TABLE):
            for item in page["Items"]:
                if "alert_id" in item and "status" in item:
                    names = ("user_id", "status", "window_start")
                    found[item["alert_id"]["S"]] = {name: item[name]["S"] for name in names}
        return found


def kill_process(pid: int) -> None:
    """Kill -9 one process, if it is there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
