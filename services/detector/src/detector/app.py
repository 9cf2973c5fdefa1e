"""The composition root of both processes; nothing else imports adapters."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from detector.adapters.aws_clients import AwsClients
from detector.adapters.aws_errors import translated
from detector.adapters.aws_readiness import readiness_calls
from detector.adapters.cloudwatch_lag import CloudwatchLag
from detector.adapters.cloudwatch_metrics import CloudwatchMetrics
from detector.adapters.dynamo_alerts import DynamoAlerts
from detector.adapters.dynamo_counts import DynamoCounts
from detector.adapters.dynamo_leases import seed_leases
from detector.adapters.sns_alerts import SnsAlerts
from detector.adapters.sqs_bad_events import SqsBadEvents
from detector.alerting import RaiseAlert
from detector.handlers import DetectBots
from detector.kcl.java import find_java
from detector.kcl.runfiles import RunFiles, java_command, write_run_files
from detector.kcl.supervisor import Supervisor
from detector.metrics import ShardMetrics, SupervisorMetrics
from detector.settings import DetectorSettings, java_environment
from detector.workers import Patience, Workers
from servicekit.clock import Clock, SystemClock
from servicekit.health import Health
from storepulse.detection.cooldown import Cooldown
from storepulse.detection.rules import RateRule

LIVE_WITHIN = timedelta(seconds=15)
CHECK_SECONDS = 2.0
CLOUDWATCH_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The supervisor and what its operations page shows."""

    supervisor: Supervisor
    health: Health
    metrics: SupervisorMetrics
    files: RunFiles
    lag: CloudwatchLag


def build(settings: DetectorSettings, clock: Clock | None = None) -> Service:
    """Return the supervising service; nothing runs yet.

    Raises:
        JavaNotFoundError: no Java will do.
        OSError: the run folder cannot be written.
    """
    clock = clock or SystemClock()
    java = find_java(java_environment())
    files = write_run_files(settings)
    health = Health(LIVE_WITHIN, clock, check_timeout=timedelta(seconds=2 * CHECK_SECONDS))
    metrics = SupervisorMetrics(files.metrics, clock)
    clients = AwsClients(region=settings.region, endpoint=settings.endpoint, answer_seconds=CHECK_SECONDS)
    supervisor = Supervisor(
        command=java_command(java, files, settings),
        files=files,
        seed=_seeding(settings),
        grace_seconds=settings.shutdown_grace_seconds,
        health=health,
        on_restart=metrics.restarted,
        on_child_end=metrics.forget,
    )
    health.add_check("kcl_daemon", supervisor.check_daemon)
    health.add_check("kcl_children", supervisor.check_children)
    for name, call in readiness_calls(clients, settings).items():
        health.add_check(name, partial(asyncio.to_thread, call))
    lag = CloudwatchLag(_metric_clients(settings).cloudwatch, metrics.lag)
    return Service(supervisor=supervisor, health=health, metrics=metrics, files=files, lag=lag)


def _metric_clients(settings: DetectorSettings) -> AwsClients:
    return AwsClients(
        region=settings.region, endpoint=settings.endpoint, connections=1, answer_seconds=CLOUDWATCH_SECONDS
    )


def _seeding(settings: DetectorSettings) -> Callable[[], list[str]]:
    clients = AwsClients(region=settings.region, endpoint=settings.endpoint)
    return lambda: seed_leases(
        clients.kinesis,
        clients.dynamodb,
        stream=settings.stream,
        table=settings.application,
        position=settings.initial_position,
    )


def build_use_case(
    settings: DetectorSettings,
    metrics: ShardMetrics,
    clock: Clock | None = None,
    give_up: Callable[[], bool] = lambda: False,
) -> DetectBots:
    """Return the use case on AWS, for one child.

    Args:
        settings: the detector's.
        metrics: the child's.
        clock: where the time comes from.
        give_up: whether retries are to end, because this child must.

    Raises:
        RetryableError: AWS is out of reach.
    """
    clock = clock or SystemClock()
    patience = Patience(give_up=give_up)
    clients = AwsClients(region=settings.region, endpoint=settings.endpoint, connections=settings.threads)
    dynamo = clients.pynamodb(settings.counts_table, settings.alerts_table)
    return DetectBots(
        rule=RateRule(limit=settings.limit),
        raise_alert=RaiseAlert(
            store=DynamoAlerts(dynamo, settings.alerts_table, clock, ttl=timedelta(days=settings.alerts_ttl_days)),
            publisher=SnsAlerts(clients.sns, settings.alerts_topic_arn),
            cooldown=Cooldown(period=settings.cooldown),
            allowed=settings.allowed(),
        ),
        counts=DynamoCounts(
            dynamo,
            settings.counts_table,
            clock,
            app_server=settings.app_server,
            ttl=timedelta(days=settings.counts_ttl_days),
            patience=patience,
        ),
        bad_events=SqsBadEvents(
            clients.sqs,
            patience.keep_trying(partial(_queue_url, clients, settings.bad_events_queue)),
            clients.s3,
            settings.bad_events_bucket,
            patience,
        ),
        metrics=CloudwatchMetrics(_metric_clients(settings).cloudwatch, on_drop=metrics.metric_set_dropped),
        clock=clock,
        workers=Workers(settings.threads, patience),
        store_from=settings.store_from,
    )


def _queue_url(clients: AwsClients, name: str) -> str:
    with translated(f"looking for the queue {name}"):
        return clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
