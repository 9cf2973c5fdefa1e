"""Each alarm's fault is made in the running chain, and its metric is seen to move; no alarm is left out.

The emulator takes the alarms from infra's own template. Thresholds are lower where reaching them takes minutes.
It looks at single metrics, and has none of AWS's own.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from detector.adapters import cloudwatch_metrics as of_detector
from tests.chain import Chain
from tests.e2e import faults
from tests.emulator import wait_until
from tests.infra.synthesis import load, of_type, synthesise_all
from tests.processes import ServiceProcess
from windower.adapters import cloudwatch_metrics as of_windower

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(400)]

PREFIX: Final = "storepulse-local-"
OWN: Final = (of_windower.NAMESPACE, of_detector.NAMESPACE)

MOVED = {
    "watermark-still": (faults.event_time_stands_still, 5),
    "windower-stuck": (faults.event_time_stands_still, 20),
    "windower-paused": (faults.a_shard_waits_for_the_backlog_of_another, 0),
    "late-records": (faults.event_time_was_moved_ahead, 2),
    "detector-stuck": (faults.sns_refuses, 5),
}
"""Alarms, the fault of each, and the threshold here; in the order in which they are tried."""

AFTERWARDS = {"alerts-late": ("detector-stuck", 5)}
"""Alarms that go off when another one's fault is mended."""

SILENT = {"stream-1-behind": "windower", "stream-2-behind": "detector"}
"""Alarms that go off when a service says nothing more."""

BRISK = {"WINDOWER_METRICS_INTERVAL": "0.2", "WINDOWER_WATERMARK_DELAY": "1"}
"""Settings of the windower: a window fires 1 s after its end, so that what is stuck shows sooner."""

SILENCE_SECONDS: Final = 25  # longer than between any two metrics here

OF_AWS = {
    "AWS/Kinesis": "the emulator never throttles and counts no records",
    "ECS/ContainerInsights": "tasks are processes here",
    "AWS/ECS": "tasks are processes here",
    "Storepulse/Logs": "counted by CloudWatch Logs; that trouble is an error: tests/unit/detector/test_workers.py",
    "AWS/SQS": "the emulator counts no messages; that bad events are sent: tests/e2e/test_real_input.py",
    "AWS/SNS": "the emulator always delivers",
    "AWS/Firehose": "a stand-in takes its place here",
    "AWS/KinesisAnalytics": "Managed Flink's own",
}
"""Namespaces of metrics that AWS alone gives, and why nothing moves them here."""


@pytest.fixture(scope="module")
def alarms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = synthesise_all(tmp_path_factory.mktemp("infra"), "--env", "local", "--flink")
    found = [alarm for file in folder.glob("*.json") for alarm in of_type(load(file), "CloudWatch::Alarm")]
    return {alarm["AlarmName"].removeprefix(PREFIX): alarm for alarm in found}


def sources(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that an alarm looks at, each with its statistic."""
    single = {name: alarm.get(name) for name in ("Namespace", "MetricName", "Statistic")}
    used = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    return [each["Metric"] | {"Statistic": each["Stat"]} for each in used] or [single]


def own(alarm: dict[str, Any]) -> dict[str, Any]:
    """Return the one metric of an alarm that a service tells."""
    (found,) = (each for each in sources(alarm) if each["Namespace"] in OWN)
    return found


class Watched:
    """The chain with the alarms in its account."""

    def __init__(self, chain: Chain, alarms: dict[str, dict[str, Any]]) -> None:
        self.chain = chain
        self.alarms = alarms
        self._cloudwatch = chain.emulator.client("cloudwatch")

    def watch(self, name: str, threshold: float) -> None:
        """Put an alarm as infra has it, with another threshold."""
        metric = own(self.alarms[name])
        assert metric["Statistic"] in ("Maximum", "Sum")
        assert threshold <= self.alarms[name]["Threshold"]
        self._cloudwatch.put_metric_alarm(
            AlarmName=PREFIX + name,
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Statistic=metric["Statistic"],
            Period=60,
            EvaluationPeriods=1,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
        )

    def is_off(self, name: str) -> bool:
        """Say whether an alarm has gone off."""
        (alarm,) = self._cloudwatch.describe_alarms(AlarmNames=[PREFIX + name])["MetricAlarms"]
        return bool(alarm["StateValue"] == "ALARM")

    def until(self, true: Callable[[], bool], what: str, trouble: Generator[None, None, None] | None = None) -> None:
        """Wait for it, while `trouble` goes on."""

        def step() -> bool:
            if trouble is not None:
                next(trouble)
            return true()

        try:
            wait_until(step, 90, what, 0.5)
        except TimeoutError as error:
            message = f"{error}\n{self.chain.log_ends()}"
            raise AssertionError(message) from error

    def told(self, name: str) -> float:
        """Return how often an alarm's metric was told."""
        metric, now = own(self.alarms[name]), datetime.now(UTC)
        points = self._cloudwatch.get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=60,
            Statistics=["SampleCount"],
        )["Datapoints"]
        return sum(point["SampleCount"] for point in points)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, alarms: dict[str, dict[str, Any]]) -> Iterator[Watched]:
    """The chain, with every alarm of ours in place and none of them off while all is well."""
    with Chain(tmp_path_factory.mktemp("alarms"), **BRISK) as chain:
        found = Watched(chain, alarms)
        for name, (_, threshold) in (MOVED | AFTERWARDS).items():
            found.watch(name, threshold)
        with closing(faults.all_is_well(chain)) as traffic:
            found.until(lambda: all(map(found.told, SILENT)), "metrics", traffic)
        assert not [name for name in MOVED if found.is_off(name)]
        yield found


def test_every_alarm_has_its_fault_or_its_reason(alarms: dict[str, dict[str, Any]]) -> None:
    ours = {name for name, alarm in alarms.items() if {each["Namespace"] for each in sources(alarm)} & {*OWN}}
    assert ours == MOVED.keys() | AFTERWARDS.keys() | SILENT.keys()
    others = {each["Namespace"] for name in alarms.keys() - ours for each in sources(alarms[name])}
    assert others == OF_AWS.keys()


@pytest.mark.parametrize("name", MOVED)
def test_an_alarm_goes_off_when_its_fault_is_made(watched: Watched, name: str) -> None:
    fault, _ = MOVED[name]
    with closing(fault(watched.chain)) as trouble:
        watched.until(partial(watched.is_off, name), name, trouble)
    for after, (cause, _) in AFTERWARDS.items():
        if cause == name:
            watched.until(partial(watched.is_off, after), after)


def test_services_that_are_gone_tell_nothing_more_and_silence_is_an_alarm(watched: Watched) -> None:
    for service in SILENT.values():
        running: ServiceProcess = getattr(watched.chain, service)
        running.kill()
    told, since = dict.fromkeys(SILENT, 0.0), time.monotonic()

    def silent() -> bool:
        nonlocal told, since
        now = {name: watched.told(name) for name in SILENT}  # a request of a moment ago may still be on its way
        told, since = (now, time.monotonic()) if now != told else (told, since)
        return time.monotonic() - since > SILENCE_SECONDS

    watched.until(silent, "silence")
    assert all(told.values()), "each had told something before"
    assert {watched.alarms[name]["TreatMissingData"] for name in SILENT} == {"breaching"}
