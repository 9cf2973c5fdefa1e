"""The ports of counts and alerts in memory and on the emulated AWS; one suite a port runs against both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from detector.adapters.aws_clients import AwsClients
from detector.adapters.dynamo_alerts import DynamoAlerts
from detector.adapters.dynamo_counts import DynamoCounts, partition_key
from detector.adapters.memory import MemoryAlerts, MemoryCounts, MemoryPublisher
from detector.adapters.sns_alerts import SnsAlerts
from detector.ports import AlertPublisher, AlertStore, CountStore
from servicekit.clock import ManualClock
from tests.emulator import Emulator
from tests.integration.detector.account import Account

MEMORY_OR_AWS = [pytest.param("memory"), pytest.param("aws", marks=pytest.mark.emulator)]


@dataclass
class Ports:
    """Each port, and how to see what it holds."""

    counts: CountStore
    alerts: AlertStore
    publisher: AlertPublisher
    counted: Callable[[], dict[tuple[str, str], tuple[int, str]]]  # (user, window end) -> actions, kind
    alerted: Callable[[], dict[str, tuple[str, int, str]]]  # alert id -> status, actions, kind
    published: Callable[[], list[str]]


def in_memory() -> Ports:
    """Return the ports in memory."""
    counts, alerts, publisher = MemoryCounts(), MemoryAlerts(), MemoryPublisher()
    return Ports(
        counts=counts,
        alerts=alerts,
        publisher=publisher,
        counted=lambda: {key: (each.num_actions, each.kind) for key, each in counts.counts.items()},
        alerted=lambda: {
            alert_id: (alerts.statuses[alert_id].value, alert.num_actions, alert.kind)
            for alert_id, alert in alerts.alerts.items()
        },
        published=lambda: [alert.alert_id for alert in publisher.published],
    )


def on_aws(emulator: Emulator) -> Ports:
    """Return the ports on the emulator."""
    account, clock = Account(emulator, shards=1), ManualClock()
    clients = AwsClients(region="us-east-1", endpoint=emulator.url)
    connection = clients.pynamodb(account.counts_table, account.alerts_table)
    month = timedelta(days=30)
    prefix, suffix = partition_key("|", "1").split("|")
    return Ports(
        counts=DynamoCounts(connection, account.counts_table, clock, app_server="1", ttl=month),
        alerts=DynamoAlerts(connection, account.alerts_table, clock, ttl=month),
        publisher=SnsAlerts(clients.sns, account.topic),
        counted=lambda: {
            (key.removeprefix(prefix).removesuffix(suffix), end): count
            for (key, end), count in account.counted().items()
        },
        alerted=lambda: {
            item["alert_id"]: (item["status"], item["num_actions"], item["kind"]) for item in account.alerts().values()
        },
        published=lambda: list(account.published().elements()),
    )


@pytest.fixture(params=MEMORY_OR_AWS)
def ports(request: pytest.FixtureRequest) -> Ports:
    """The ports, in memory and on AWS."""
    if request.param == "memory":
        return in_memory()
    request.getfixturevalue("aws")
    return on_aws(request.getfixturevalue("emulator"))
