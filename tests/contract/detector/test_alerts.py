"""What every `AlertStore` and every `AlertPublisher` keeps."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.adapters.aws_clients import AwsClients
from detector.adapters.memory import MemoryPublisher
from detector.adapters.sns_alerts import SnsAlerts
from detector.alerting import RaiseAlert
from detector.ports import KEPT, AlertStatus
from storepulse.detection.alerts import Alert
from storepulse.detection.cooldown import Cooldown
from storepulse.instants import parse_instant
from tests.contract.detector.conftest import Ports
from tests.emulator import Emulator
from tests.integration.detector.account import Account
from tests.unit.detector.builders import START, WINDOW, alert

USERS = count()


def test_a_new_alert_is_pending_until_it_is_settled(ports: Ports) -> None:
    assert ports.alerts.add(alert()) is AlertStatus.PENDING
    assert ports.alerts.add(alert()) is AlertStatus.PENDING
    ports.alerts.settle(alert(), AlertStatus.PUBLISHED)
    assert ports.alerts.add(alert()) is AlertStatus.PUBLISHED


def test_what_is_settled_stays_settled(ports: Ports) -> None:
    ports.alerts.add(alert())
    ports.alerts.settle(alert(), AlertStatus.SUPPRESSED)
    ports.alerts.settle(alert(), AlertStatus.PUBLISHED)
    assert ports.alerted() == {alert().alert_id: ("suppressed", 30, "final")}


@pytest.mark.parametrize(
    ("alerts", "actions", "kind"),
    [
        ([alert(actions=11, kind="early"), alert(actions=40)], 40, "final"),
        ([alert(actions=40), alert(actions=11, kind="early")], 40, "final"),
        ([alert(actions=11, kind="early"), alert(actions=12, kind="early")], 12, "early"),
        ([alert(actions=40), alert(actions=39)], 40, "final"),
        ([alert(actions=12, kind="early"), alert(actions=11)], 12, "final"),
    ],
)
def test_an_alerts_count_never_falls_and_final_stays_final(
    ports: Ports, alerts: list[Alert], actions: int, kind: str
) -> None:
    for each in alerts:
        ports.alerts.add(each)
    assert ports.alerted() == {alert().alert_id: ("pending", actions, kind)}


def test_admitted_alerts_are_known_by_their_windows_in_the_order_of_their_admission(ports: Ports) -> None:
    future, now = alert(window=1000), alert(window=0)
    assert ports.alerts.admitted(now) == ()
    assert ports.alerts.admit(future, ())
    assert ports.alerts.admitted(now) == (future.window_start,)
    assert ports.alerts.admit(now, (future.window_start,))
    assert ports.alerts.admitted(future) == (future.window_start, now.window_start)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1000, 0, 1), (0, 1000, 1)])
def test_only_one_of_two_that_admit_at_the_same_time_succeeds_in_whatever_order(
    ports: Ports, order: tuple[int, int, int]
) -> None:
    first, second, third = (alert(window=window) for window in order)
    assert ports.alerts.admit(first, ())
    assert not ports.alerts.admit(second, ())
    assert not ports.alerts.admit(second, (third.window_start,))
    assert ports.alerts.admit(second, (first.window_start,))
    assert not ports.alerts.admit(third, (first.window_start,))
    assert ports.alerts.admitted(third) == (first.window_start, second.window_start)


def test_of_one_user_and_rule_so_many_admitted_alerts_are_remembered(ports: Ports) -> None:
    known: tuple[str, ...] = ()
    for window in range(KEPT + 2):
        assert ports.alerts.admit(alert(window=window), known)
        known = ports.alerts.admitted(alert())
    assert known == tuple(alert(window=window).window_start for window in range(2, KEPT + 2))


def test_users_and_rules_have_cooldowns_of_their_own(ports: Ports) -> None:
    ports.alerts.admit(alert("anna"), ())
    assert ports.alerts.admitted(alert("ben")) == ()
    assert ports.alerts.admitted(alert("#anna")) == ()


def test_an_alert_a_year_ahead_silences_nobody_now_and_what_comes_again_is_told_once(ports: Ports) -> None:
    raise_alert = RaiseAlert(store=ports.alerts, publisher=ports.publisher, cooldown=Cooldown())
    year_ahead = 365 * 24 * 360
    came = [alert(window=window) for window in (year_ahead, 0, year_ahead + 1, 1, 60, 30, 0, year_ahead)]
    told = [raise_alert(each) for each in came]
    assert [status and status.value for status in told] == [
        *("published", "published", "suppressed", "suppressed", "published", "published"),
        *(None, None),
    ]
    assert sorted(ports.published()) == sorted(came[place].alert_id for place in (0, 1, 4, 5))


@given(orders=st.lists(st.permutations([0, 3, 29, 30, 33, 1000, 1029]), min_size=2, max_size=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_detectors_that_raise_at_the_same_time_in_any_order_tell_nothing_twice_in_a_cooldown(
    ports: Ports, orders: list[list[int]]
) -> None:
    user = f"user {next(USERS)}"
    raise_alert = RaiseAlert(store=ports.alerts, publisher=MemoryPublisher(), cooldown=Cooldown())

    def detect(order: list[int]) -> None:
        for window in order:
            raise_alert(alert(user, window=window))

    with ThreadPoolExecutor(len(orders)) as detectors:
        list(detectors.map(detect, orders))
    starts = sorted(map(parse_instant, ports.alerts.admitted(alert(user))))
    assert all(later - sooner >= 300_000 for sooner, later in pairwise(starts))
    assert {alert_id for alert_id, (status, _, _) in ports.alerted().items() if status == "published"} >= {
        alert(user, window=(start - START) // WINDOW).alert_id for start in starts
    }


def test_a_published_alert_arrives(ports: Ports) -> None:
    ports.publisher.publish(alert())
    ports.publisher.publish(alert("ü\n😀"))
    assert sorted(ports.published()) == sorted([alert().alert_id, alert("ü\n😀").alert_id])


@pytest.mark.emulator
def test_the_message_holds_window_count_limit_rule_and_id(aws: Emulator) -> None:
    account = Account(aws, shards=1)
    SnsAlerts(AwsClients(region="us-east-1", endpoint=aws.url).sns, account.topic).publish(alert())
    account.published()
    assert account.messages == [
        {
            "alert_id": alert().alert_id,
            "rule": "actions-per-window",
            "user_id": "anna",
            "window_start": alert().window_start,
            "window_end": alert().window_end,
            "num_actions": 30,
            "limit": 10,
            "kind": "final",
        }
    ]
    assert json.dumps(account.messages)
