"""What Managed Flink is told is what the job's files, the tests and the documents say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.synthesis import ROOT, Template, actions, infra, load, of_type, only, statements, synthesise_all

PAGE = (ROOT / "docs/flink.md").read_text()
STREAMS = {
    "stream_1": "ecommerce-raw-user-activity-stream-1",
    "stream_2": "ecommerce-raw-user-activity-stream-2",
    "bad_events": "storepulse-test-flink-bad-events",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise_all(tmp_path_factory.mktemp("flink"), "--env", "test", "--flink")


@pytest.fixture(scope="module")
def flink(folder: Path) -> Template:
    return load(folder / "flink.json")


def test_the_job_is_deployed_with_the_settings_it_is_tested_with(flink: Template) -> None:
    configuration = only(flink, "KinesisAnalyticsV2::Application")["ApplicationConfiguration"]
    groups = {g["PropertyGroupId"]: g["PropertyMap"] for g in configuration["EnvironmentProperties"]["PropertyGroups"]}
    file = json.loads((ROOT / "flink/application_properties.json").read_text())
    tested = {g["PropertyGroupId"]: g["PropertyMap"] for g in file}
    for name, stream in STREAMS.items():
        assert groups[name]["stream.arn"] == f"arn:aws:kinesis:us-east-1:111111111111:stream/{stream}"
        tested[name] |= {"stream.arn": groups[name]["stream.arn"]}
    assert groups == tested


def test_runtime_checkpoints_and_parallelism_are_those_of_the_documents(flink: Template) -> None:
    application = only(flink, "KinesisAnalyticsV2::Application")
    settings = application["ApplicationConfiguration"]["FlinkApplicationConfiguration"]
    checkpoints, parallelism = settings["CheckpointConfiguration"], settings["ParallelismConfiguration"]
    documented = dict(re.findall(r"^\| ([a-z ]+) \| `([^`]+)` \|$", PAGE, re.MULTILINE))
    assert documented == {
        "runtime": application["RuntimeEnvironment"],
        "parallelism": str(parallelism["Parallelism"]),
        "flink checkpoints": f"{checkpoints['CheckpointInterval'] // 1000} s",
        "log level": settings["MonitoringConfiguration"]["LogLevel"],
    }
    assert parallelism["AutoScalingEnabled"] is False
    assert checkpoints["CheckpointingEnabled"] is True


def test_snapshots_are_taken_when_the_job_is_stopped(flink: Template) -> None:
    configuration = only(flink, "KinesisAnalyticsV2::Application")["ApplicationConfiguration"]
    assert configuration["ApplicationSnapshotConfiguration"] == {"SnapshotsEnabled": True}


def test_the_code_is_where_the_documents_say_it_is_put(flink: Template) -> None:
    configuration = only(flink, "KinesisAnalyticsV2::Application")["ApplicationConfiguration"]
    place = configuration["ApplicationCodeConfiguration"]["CodeContent"]["S3ContentLocation"]
    assert place == {
        "BucketARN": "arn:aws:s3:::storepulse-raw-test-111111111111",
        "FileKey": "flink/storepulse-flink.zip",
    }
    assert f"s3://storepulse-raw-<env>-<account>/{place['FileKey']}" in PAGE


def test_the_job_s_role_reaches_only_its_code_its_streams_and_its_log(flink: Template) -> None:
    [policy] = {name for name, _ in statements(flink) if name.startswith("RoleDefaultPolicy")}
    held = [statement for name, statement in statements(flink) if name == policy]
    reached = {str(r) for s in held for r in (s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]])}
    here = "us-east-1:111111111111"
    assert {each for each in reached if "Fn::" not in each} == {
        "arn:aws:s3:::storepulse-raw-test-111111111111/flink/storepulse-flink.zip",
        *(f"arn:aws:kinesis:{here}:stream/{name}" for name in STREAMS.values()),
        f"arn:aws:logs:{here}:log-group:/storepulse/test/flink:*",
        f"arn:aws:logs:{here}:log-group:*",
    }
    assert not any("*" in action for statement in held for action in actions(statement))
    writes = [s["Resource"] for s in held if "kinesis:PutRecords" in actions(s)]
    assert not any("stream-1" in str(each) for each in writes)


def test_bad_events_of_the_job_end_in_the_dead_letter_queue_of_every_service(flink: Template) -> None:
    pipe = only(flink, "Pipes::Pipe")
    assert pipe["Target"].endswith(":storepulse-bad-events-test")
    stream = pipe["Source"]["Fn::GetAtt"][0]
    assert flink["Resources"][stream]["Properties"]["Name"] == STREAMS["bad_events"]
    assert pipe["TargetParameters"] == {"InputTemplate": "<$.data>"}, "the record itself, not Kinesis's wrapping"


def test_cloudformation_s_linter_finds_nothing_in_the_flink_stack(folder: Path) -> None:
    result = infra("-c", "from cfnlint.runner import main; main()", str(folder / "flink.json"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_flink_stack_is_there_only_when_it_is_asked_for(aws_folder: Path) -> None:
    assert not (aws_folder / "flink.json").exists()


def test_bad_events_are_encrypted_and_outlive_the_stack(flink: Template) -> None:
    [stream] = of_type(flink, "Kinesis::Stream")
    assert stream["StreamEncryption"]["EncryptionType"] == "KMS"
    assert [r["DeletionPolicy"] for r in flink["Resources"].values() if r["Type"] == "AWS::Kinesis::Stream"] == [
        "Retain"
    ]


def test_records_that_windows_drop_unseen_raise_an_alarm_and_the_documents_say_what_to_do(flink: Template) -> None:
    alarms = {alarm["AlarmName"].removeprefix("storepulse-test-flink-"): alarm for alarm in alarms_of(flink)}
    assert set(alarms) == {
        "numLateRecordsDropped",
        "restartingTime",
        "failingTime",
        "numberOfFailedCheckpoints",
        "lastCheckpointDuration",
    }
    application = only(flink, "KinesisAnalyticsV2::Application")["ApplicationName"]
    for name, alarm in alarms.items():
        stats = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        (watched,) = stats or [alarm]
        assert watched["MetricName"] == name
        assert watched["Dimensions"] == [{"Name": "Application", "Value": application}]
        told = ["arn:aws:sns:us-east-1:111111111111:storepulse-operations-test"]
        assert alarm["AlarmActions"] == alarm["OKActions"] == told, "it tells when it ends, too"
        assert f"`{name}`" in PAGE.partition("## Alarms")[2]


def test_a_checkpoint_may_take_five_minutes(flink: Template) -> None:
    (slow,) = (alarm for alarm in alarms_of(flink) if alarm["AlarmName"].endswith("lastCheckpointDuration"))
    assert slow["Threshold"] == 5 * 60 * 1000


@pytest.mark.parametrize("counter", ["numLateRecordsDropped", "numberOfFailedCheckpoints"])
def test_an_alarm_on_a_counter_goes_by_its_growth_and_so_ends(flink: Template, counter: str) -> None:
    (dropped,) = (alarm for alarm in alarms_of(flink) if alarm["AlarmName"].endswith(counter))
    (expression,) = (each for each in dropped["Metrics"] if "Expression" in each)
    (total,) = (each["Id"] for each in dropped["Metrics"] if "MetricStat" in each)
    assert expression["Expression"] == f"DIFF({total})"
    assert dropped["EvaluationPeriods"] >= 2, "a difference needs two values"
    assert dropped["TreatMissingData"] == "notBreaching"


def alarms_of(flink: Template) -> list[dict[str, Any]]:
    return of_type(flink, "CloudWatch::Alarm")
