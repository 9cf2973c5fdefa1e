"""Every alarm: what it watches, and when it goes off. docs/runbook.md has a section for each, held by a test."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.names import STREAM_1, STREAM_2, Names
from infra.operations import metrics
from infra.operations.metrics import MINUTE

MEMORY_PERCENT: Final = 80
BEHIND_MILLIS: Final = 60_000
STILL_SECONDS: Final = 180  # a shard is idle after 60
STUCK_SECONDS: Final = 300
LATE_RECORDS: Final = 100  # a minute; a few stragglers are usual
CHECKPOINT_SECONDS: Final = 120  # an idle shard has one a second
ALERT_SECONDS: Final = 30  # longer than a restart
ARCHIVE_LATE_SECONDS: Final = 300
STREAMS: Final = {"stream-1": STREAM_1, "stream-2": STREAM_2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One alarm.

    Attributes:
        name: of the alarm without its deployment, and of its section in the runbook.
        metric: what it watches, by the minute.
        above: it is in alarm when the metric is greater than this,
        minutes: in so many
        of: of the last so many minutes.
        silence_is_bad: whether no data is as bad as too much.
        meaning: in one sentence.
    """

    name: str
    metric: cloudwatch.IMetric
    above: float = 0
    minutes: int = 1
    of: int = 1
    silence_is_bad: bool = False
    meaning: str


def watches(names: Names, services: tuple[str, ...], *, windower: bool) -> Iterator[Watch]:
    """Yield the alarms of a deployment that runs `services`; `windower`: whether that one counts, not Flink."""
    for short, stream in STREAMS.items():
        yield _throttled(short, stream)
    for service in services:
        yield from _of_service(service, names)
    if windower:
        yield from _of_windower()
    yield from _of_detector(names)
    yield Watch(
        name="windower-silent",
        metric=_in_but_not_out(),
        minutes=10,
        of=10,
        meaning="Stream 1 has records and stream 2 gets none: nobody counts.",
    )
    yield Watch(
        name="bad-events",
        metric=metrics.bad_events(names),
        meaning="Records were set aside, and are in the dead-letter queue for a person.",
    )
    yield Watch(
        name="alerts-undelivered",
        metric=metrics.of_alerts("NumberOfNotificationsFailed", names),
        meaning="A subscriber of the alerts' topic did not take an alert.",
    )
    yield Watch(
        name="archive-late",
        metric=metrics.archive_age(names),
        above=ARCHIVE_LATE_SECONDS,
        minutes=3,
        of=3,
        meaning="Stream 1 does not reach the archive; it keeps records for 24 hours only.",
    )


def _throttled(short: str, stream: str) -> Watch:
    return Watch(
        name=f"{short}-throttled",
        metric=metrics.of_stream("WriteProvisionedThroughputExceeded", "Sum", stream),
        minutes=3,
        of=5,
        meaning=f"{stream} refuses records; writers retry and fall behind.",
    )


def _behind(short: str, namespace: str) -> Watch:
    """Return the alarm by what the reader says itself: Kinesis knows only the calls that are made, by anybody."""
    return Watch(
        name=f"{short}-behind",
        metric=metrics.own(namespace, "MillisBehindLatest"),
        above=BEHIND_MILLIS,
        minutes=3,
        of=3,
        silence_is_bad=True,  # it is told always while shards are read
        meaning=f"Who counts what is in {STREAMS[short]} is more than a minute behind, or nobody reads it.",
    )


def _of_windower() -> Iterator[Watch]:
    yield _behind("stream-1", metrics.WINDOWER)
    yield Watch(
        name="watermark-still",
        metric=metrics.own(metrics.WINDOWER, "WatermarkAgeSeconds"),
        above=STILL_SECONDS,
        minutes=3,
        of=3,
        meaning="Records come, and event time stands still: no window fires.",
    )
    yield Watch(
        name="windower-stuck",
        metric=metrics.unacknowledged_while_records_come(),
        above=STUCK_SECONDS,
        minutes=3,
        of=3,
        meaning="Records come, and some are in no final count after minutes.",
    )
    yield Watch(
        name="windower-paused",
        metric=metrics.own(metrics.WINDOWER, "PausedShards"),
        minutes=10,
        of=10,
        meaning="A shard is not read on, as its event time is far ahead of the others'.",
    )
    yield Watch(
        name="late-records",
        metric=metrics.own(metrics.WINDOWER, "LateRecords", "Sum"),
        above=LATE_RECORDS,
        minutes=5,
        of=5,
        meaning="So many records come late that the watermark must be too far ahead: they are not counted.",
    )


def _of_detector(names: Names) -> Iterator[Watch]:
    yield _behind("stream-2", metrics.DETECTOR)
    yield Watch(
        name="detector-memory",
        metric=metrics.utilization("MemoryUtilization", "detector", names),
        above=MEMORY_PERCENT,
        minutes=5,
        of=5,
        meaning="A detector's task is nearly full: it has more shards of stream 2 than it is large enough for.",
    )
    yield Watch(
        name="detector-stuck",
        metric=metrics.own(metrics.DETECTOR, "CheckpointAgeSeconds"),
        above=CHECKPOINT_SECONDS,
        minutes=3,
        of=3,
        meaning="A shard of stream 2 has no kcl_checkpoint for minutes: what its records need is out of reach.",
    )
    yield Watch(
        name="alerts-late",
        metric=metrics.own(metrics.DETECTOR, "AlertLatencySeconds"),
        above=ALERT_SECONDS,
        meaning="An alert was published long after its count came.",
    )


def _of_service(service: str, names: Names) -> Iterator[Watch]:
    yield Watch(
        name=f"{service}-down",
        metric=_missing_tasks(service, names),
        minutes=3,
        of=5,
        silence_is_bad=True,
        meaning=f"{service} runs fewer tasks than it should: it does not start, crashes or is unhealthy.",
    )
    yield Watch(
        name=f"{service}-errors",
        metric=metrics.errors(service),
        meaning=f"{service} has logged an error, which is what a person must look at.",
    )


def _missing_tasks(service: str, names: Names) -> cloudwatch.MathExpression:
    used = {
        "desired": metrics.tasks("DesiredTaskCount", service, names),
        "running": metrics.tasks("RunningTaskCount", service, names),
    }
    return cloudwatch.MathExpression(
        expression="desired - running", using_metrics=used, label=f"{service} tasks missing", period=MINUTE
    )


def _in_but_not_out() -> cloudwatch.MathExpression:
    """Return 1 in a minute in which records came in and no count went out, else 0."""
    used = {
        "into": metrics.of_stream("IncomingRecords", "Sum", STREAM_1),
        "out": metrics.of_stream("IncomingRecords", "Sum", STREAM_2),
    }
    return cloudwatch.MathExpression(
        expression="IF(FILL(into, 0) > 0 AND FILL(out, 0) == 0, 1, 0)",
        using_metrics=used,
        label="in but not out",
        period=MINUTE,
    )
