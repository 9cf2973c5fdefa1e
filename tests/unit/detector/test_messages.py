"""What people, queues and CloudWatch get to see."""

import contextlib
import io
import re

import botocore.session
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.adapters.cloudwatch_metrics import data
from detector.adapters.dynamo_alerts import _Key
from detector.adapters.dynamo_counts import partition_key
from detector.adapters.sns_alerts import message, subject
from detector.figures import BatchFigures, Spread
from detector.settings import DetectorSettings
from servicekit.logs import configure_logs, get_logger
from storepulse.activity.counts import MAX_ACTIONS
from storepulse.detection.alerts import Alert
from storepulse.detection.rules import RateRule
from tests.unit.detector.builders import alert, count

values = st.lists(st.integers(0, 1000), max_size=5)
figures = st.builds(
    BatchFigures,
    actions=values.map(Spread.of),
    alerts=st.integers(0, 9),
    alert_seconds=values.map(Spread.of),
    actions_left_out=st.integers(0, 99),
)


#: What the wire lets through: no lone surrogates, but control characters, blanks and all else.
USERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256) | st.uuids().map(str)
UUID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(("user", "shown"), [("512", "512"), (UUID, UUID), ("x" * 256, "x" * 35 + "...")])
def test_the_subject_names_user_count_limit_and_time(user: str, shown: str) -> None:
    assert subject(alert(user, 30)) == f"Storepulse: user {shown}: 30 actions, limit 10, 2026-09-21 14:13:20Z"


@given(user=USERS, actions=st.integers(11, MAX_ACTIONS), limit=st.integers(1, MAX_ACTIONS))
def test_no_user_id_breaks_the_subject(user: str, actions: int, limit: int) -> None:
    text = subject(msgspec.structs.replace(alert(user, actions), limit=limit))
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 100, "SNS: less than 100 characters"
    assert text.startswith("Storepulse: user ")
    assert text.endswith("Z")
    assert str(actions) in text


def test_what_sns_takes_is_what_its_model_says() -> None:
    shape = botocore.session.get_session().get_service_model("sns").operation_model("Publish").input_shape
    assert shape is not None
    says = re.sub(r"<[^>]+>", "", shape.members["Subject"].documentation)
    assert "no line breaks or control characters, and less than 100 characters long" in says


@given(user=USERS)
def test_a_message_holds_any_user_id_in_characters_that_every_queue_takes(user: str) -> None:
    text = message(alert(user))
    assert all(" " <= each <= "\x7f" for each in text), "SQS, which subscribes, refuses U+FFFE, U+FFFF and control ones"
    assert msgspec.json.decode(text, type=Alert) == alert(user)


@given(user=st.text(st.characters(min_codepoint=0x1000, exclude_categories=["Cs"]), min_size=256, max_size=256))
def test_every_key_in_dynamodb_holds_the_longest_user_id(user: str) -> None:
    longest = DetectorSettings(app_server="\N{SEEDLING}" * 64).app_server
    item = Alert.of(count(user), rule=RateRule().name, limit=1)
    partitions = (partition_key(user, longest), _Key.of(item).pk, _Key.of_cooldown(item).pk, item.user_id)
    sorts = (item.window_end, item.window_start, _Key.of(item).sk, _Key.of_cooldown(item).sk)
    assert all(0 < len(key.encode()) <= 2048 for key in partitions), "of a table and of an index"
    assert all(0 < len(key.encode()) <= 1024 for key in sorts)


@given(user=USERS)
def test_a_log_line_with_any_user_id_is_one_line(user: str) -> None:
    written = io.StringIO()
    with contextlib.redirect_stderr(written):
        configure_logs("detector")
        get_logger().info("alert_raised", user_id=user)
    [line] = written.getvalue().splitlines()
    assert msgspec.json.decode(line)["event"] == "alert_raised"


@given(values, values)
def test_a_merged_spread_is_that_of_all_values(first: list[float], second: list[float]) -> None:
    assert Spread.of(first) + Spread.of(second) == Spread.of([*first, *second])


@given(figures, figures)
def test_merged_figures_are_those_of_both_batches_together(first: BatchFigures, second: BatchFigures) -> None:
    both = first + second
    assert both == second + first
    assert both.actions == first.actions + second.actions
    assert both.alert_seconds == first.alert_seconds + second.alert_seconds
    assert (both.alerts, both.actions_left_out) == (
        first.alerts + second.alerts,
        first.actions_left_out + second.actions_left_out,
    )


def test_a_batch_without_windows_and_alerts_says_nothing_of_actions_and_latency() -> None:
    assert [datum["MetricName"] for datum in data(BatchFigures())] == ["WindowsProcessed", "AlertsRaised"]


def test_no_metric_has_a_dimension() -> None:
    whole = BatchFigures(actions=Spread.of([3]), alerts=1, alert_seconds=Spread.of([0.2]), actions_left_out=1)
    assert {datum["MetricName"] for datum in data(whole)} == {
        *("WindowsProcessed", "AlertsRaised", "ActionsLeftOut", "ActionsPerWindow", "AlertLatencySeconds")
    }
    assert not any("Dimensions" in datum for datum in data(whole))
