import json
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.cloudwatch_metrics import NAMESPACE
from tests.docs.runbook import sections
from tests.infra.synthesis import Template, load, of_type, only
from tests.infra.wiring import SETTINGS
from windower.adapters.cloudwatch_metrics import NAMESPACE as WINDOWER

PREFIX = "storepulse-test-"
WANTED = {
    *(f"stream-{number}-{what}" for number in (1, 2) for what in ("behind", "throttled")),
    "detector-memory",
    *("watermark-still", "windower-stuck", "windower-paused", "late-records", "detector-stuck", "alerts-late"),
    *(f"{service}-{what}" for service in SETTINGS for what in ("down", "errors")),
    *("windower-silent", "bad-events", "alerts-undelivered", "archive-late"),
}


@pytest.fixture(scope="module")
def alarms(operations: Template) -> dict[str, dict[str, Any]]:
    return {a["AlarmName"].removeprefix(PREFIX): a for a in of_type(operations, "CloudWatch::Alarm")}


def metrics(alarm: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """Return namespace, name and dimensions of each metric that an alarm watches."""
    sources = [m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m] or [alarm]
    return [
        (m["Namespace"], m["MetricName"], {d["Name"]: d["Value"] for d in m.get("Dimensions", [])}) for m in sources
    ]


def test_there_is_an_alarm_for_each_way_in_which_the_platform_fails(alarms: dict[str, dict[str, Any]]) -> None:
    assert alarms.keys() == WANTED


def test_every_alarm_tells_the_operations_topic_when_it_begins_and_when_it_ends(
    operations: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    ((name, topic),) = (
        (name, r["Properties"]) for name, r in operations["Resources"].items() if r["Type"] == "AWS::SNS::Topic"
    )
    assert topic["TopicName"] == "storepulse-operations-test"
    assert "KmsMasterKeyId" in topic
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": name}]


def test_cloudwatch_may_publish_to_the_operations_topic_for_this_account_s_alarms_alone(operations: Template) -> None:
    policy = only(operations, "SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowing,) = (statement for statement in policy if statement["Effect"] == "Allow")
    assert allowing["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowing["Action"] == "sns:Publish"
    assert allowing["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:111111111111:alarm:*"},
        "StringEquals": {"aws:SourceAccount": "111111111111"},
    }


def test_every_alarm_of_every_stack_has_its_section_in_the_runbook_and_nothing_else_has(
    aws_folder: Path, aws_folder_with_flink: Path
) -> None:
    stacks = [load(file) for folder in (aws_folder, aws_folder_with_flink) for file in folder.glob("*.json")]
    alarms = {a["AlarmName"].removeprefix(PREFIX) for stack in stacks for a in of_type(stack, "CloudWatch::Alarm")}
    assert alarms > WANTED, "Flink's are among them"
    assert sorted(alarm for section in sections() for alarm in section.alarms) == sorted(alarms)


def test_every_alarm_says_where_the_runbook_speaks_of_it(alarms: dict[str, dict[str, Any]]) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"].endswith(f"docs/runbook.md, {name}")


def test_no_alarm_goes_by_calls_that_somebody_else_makes_or_by_a_level_that_stays(
    aws_folder_with_flink: Path, alarms: dict[str, dict[str, Any]]
) -> None:
    flink = of_type(load(aws_folder_with_flink / "flink.json"), "CloudWatch::Alarm")
    watched = {name for alarm in [*alarms.values(), *flink] for _, name, _ in metrics(alarm)}
    assert "GetRecords.IteratorAgeMilliseconds" not in watched, "Firehose reads stream 1 always, nobody makes no call"
    assert "ApproximateNumberOfMessagesVisible" not in watched, "what waits there hides what comes next"
    assert metrics(alarms["bad-events"]) == [
        ("AWS/SQS", "NumberOfMessagesSent", {"QueueName": "storepulse-bad-events-test"})
    ]


def test_a_service_s_own_metrics_have_no_dimensions_and_are_watched_by_the_names_that_it_gives_them(
    alarms: dict[str, dict[str, Any]],
) -> None:
    watched = [each for alarm in alarms.values() for each in metrics(alarm)]
    assert {name for namespace, name, _ in watched if namespace == NAMESPACE} == {
        *("MillisBehindLatest", "CheckpointAgeSeconds", "AlertLatencySeconds")
    }
    assert {name for namespace, name, _ in watched if namespace == WINDOWER} == {
        *("MillisBehindLatest", "WatermarkAgeSeconds", "OldestUnacknowledgedSeconds", "PausedShards", "LateRecords")
    }
    assert not any(dimensions for namespace, _, dimensions in watched if namespace in (NAMESPACE, WINDOWER))


def test_where_flink_counts_no_alarm_waits_for_the_windower(aws_folder_with_flink: Path) -> None:
    operations = load(aws_folder_with_flink / "operations.json")
    watched = [metrics(alarm) for alarm in of_type(operations, "CloudWatch::Alarm")]
    assert watched
    assert not any(namespace == "Storepulse/Windower" for alarm in watched for namespace, _, _ in alarm)


def test_silence_is_an_alarm_where_something_speaks_always(alarms: dict[str, dict[str, Any]]) -> None:
    silent = {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
    assert silent == {"stream-1-behind", "stream-2-behind", *(f"{service}-down" for service in SETTINGS)}


def test_alarms_watch_the_streams_topic_queue_and_archive_that_the_data_stack_makes(
    aws_template: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    named = {
        "StreamName": {s["Name"] for s in of_type(aws_template, "Kinesis::Stream")},
        "QueueName": {only(aws_template, "SQS::Queue")["QueueName"]},
        "TopicName": {only(aws_template, "SNS::Topic")["TopicName"]},
        "DeliveryStreamName": {only(aws_template, "KinesisFirehose::DeliveryStream")["DeliveryStreamName"]},
    }
    watched = [each for alarm in alarms.values() for _, _, dimensions in metrics(alarm) for each in dimensions.items()]
    for dimension, name in watched:
        assert name in named.get(dimension, {name}), (dimension, name)
    assert {dimension for dimension, _ in watched} >= named.keys()


def test_alarms_watch_the_cluster_and_services_that_there_are(
    services: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    cluster = only(services, "ECS::Cluster")["ClusterName"]
    for name in SETTINGS:
        expected = {"ClusterName": cluster, "ServiceName": name}
        assert [each for _, _, each in metrics(alarms[f"{name}-down"])] == [expected, expected]


def test_an_error_that_a_service_logs_is_counted_where_its_alarm_looks(
    services: Template, alarms: dict[str, dict[str, Any]]
) -> None:
    filters = of_type(services, "Logs::MetricFilter")
    counted = {(each["MetricNamespace"], each["MetricName"]) for f in filters for each in f["MetricTransformations"]}
    assert {metrics(alarms[f"{name}-errors"])[0][:2] for name in SETTINGS} == counted
    assert {f["FilterPattern"] for f in filters} == {'{ $.level = "error" || $.level = "critical" }'}


def test_the_dashboard_has_the_alarms_and_a_row_for_each_service(operations: Template) -> None:
    page = only(operations, "CloudWatch::Dashboard")
    assert page["DashboardName"] == "storepulse-test"
    parts = page["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
    rows = [w["properties"]["markdown"] for w in body["widgets"] if w["type"] == "text"]
    assert rows == ["## producer", "## windower", "## detector", "## stores"]
    assert len([w for w in body["widgets"] if w["type"] == "metric"]) % 4 == 0, "no row has a gap"
    (status,) = (w for w in body["widgets"] if w["type"] == "alarm")
    assert len(status["properties"]["alarms"]) == len(WANTED)
    assert NAMESPACE in json.dumps(body)  # the detector's own metrics, by its own name for them
