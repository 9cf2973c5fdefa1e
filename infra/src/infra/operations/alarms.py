"""Every alarm: what it watches, and when it goes off. docs/runbook.md has a section for each, held by a test."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.names import STREAM_1, STREAM_2, Names
from infra.operations import metrics
from infra.operations.metrics import MINUTE

BEHIND_MILLIS: Final = 60_000
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


def watches(names: Names, services: tuple[str, ...]) -> Iterator[Watch]:
    """Yield the alarms of a deployment that runs `services`."""
    for short, stream in STREAMS.items():
        yield from _of_stream(short, stream)
    for service in services:
        yield from _of_service(service, names)
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
        meaning="Records were set aside and wait in the dead-letter queue for a person.",
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


def _of_stream(short: str, stream: str) -> Iterator[Watch]:
    yield Watch(
        name=f"{short}-behind",
        metric=metrics.age(stream),
        above=BEHIND_MILLIS,
        minutes=3,
        of=3,
        silence_is_bad=True,  # consumers poll always
        meaning=f"Who reads {stream} is more than a minute behind, or nobody reads it.",
    )
    yield Watch(
        name=f"{short}-throttled",
        metric=metrics.of_stream("WriteProvisionedThroughputExceeded", "Sum", stream),
        minutes=3,
        of=5,
        meaning=f"{stream} refuses records; writers retry and fall behind.",
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
