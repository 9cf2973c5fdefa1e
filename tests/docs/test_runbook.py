"""Every command of the runbook is run, against an emulated account with the platform in it."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.builders import payload
from tests.chain import Chain
from tests.docs.runbook import preparations, sections
from tests.emulator import ROOT, wait_until
from tests.processes import ServiceProcess

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(300)]

BAD_EVENTS, RAW_BUCKET = "storepulse-bad-events-local", "storepulse-raw-local-000000000000"
SOURCE = "ecommerce-raw-user-activity-stream-1"
SERVICES = ("producer", "windower", "detector")
CASES = [(section.alarms[0], command) for section in sections() for command in section.commands]
SILENT = ("ecs list-tasks", "filter-pattern")
"""Commands that have nothing to say where nothing has stopped or failed."""


class Account:
    """The platform, and beside it what only AWS has: a cluster with services, their logs, a delivery stream."""

    def __init__(self, chain: Chain, producer: ServiceProcess) -> None:
        self.chain = chain
        self.pages = {"producer": producer.url, "windower": chain.windower.url, "detector": chain.detector.url}

    def run(self, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run lines of the runbook on a laptop that has been prepared as it says, with the ports that there are."""
        _, laptop, *_ = preparations()
        moved = {name.upper(): url for name, url in self.pages.items()} | {"AWS_ENDPOINT_URL": self.chain.emulator.url}
        exports = "".join(f"export {name}={value}\n" for name, value in (moved | variables).items())
        return self.shell(laptop + exports + script)

    def shell(self, script: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
        return subprocess.run(  # noqa: S603 - our own document
            ["/bin/bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=kept | nothing,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("runbook")
    with Chain(folder) as chain:
        wiring = {"PRODUCER_RAW_BUCKET": RAW_BUCKET, "PRODUCER_BAD_EVENTS_QUEUE": BAD_EVENTS}
        with ServiceProcess("producer", chain.emulator.process_env | wiring, folder) as producer:
            only_in_aws(chain)
            some_traffic(chain)
            yield Account(chain, producer)


def client(chain: Chain, service: str) -> Any:  # noqa: ANN401 - boto3 has no type for a client by a variable name
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=chain.emulator.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator takes any
    )


def only_in_aws(chain: Chain) -> None:
    """Make what infra makes in AWS alone, by its names."""
    ecs, logs, firehose = (client(chain, service) for service in ("ecs", "logs", "firehose"))
    ecs.create_cluster(clusterName="storepulse-local")
    for service in SERVICES:
        ecs.register_task_definition(
            family=f"storepulse-local-{service}",
            containerDefinitions=[{"name": service, "image": "none", "memory": 64}],
        )
        ecs.create_service(
            cluster="storepulse-local",
            serviceName=service,
            taskDefinition=f"storepulse-local-{service}",
            desiredCount=0,
        )
        group = f"/storepulse/local/{service}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="task")
        lines = ('{"level":"info","event":"started"}', '{"level":"error","event":"cannot_start"}')
        now = time.time_ns() // 1_000_000
        logs.put_log_events(
            logGroupName=group,
            logStreamName="task",
            logEvents=[{"timestamp": now, "message": line} for line in lines],
        )
    logs.create_log_group(logGroupName="/storepulse/local/flink")
    client(chain, "kinesisanalyticsv2").create_application(
        ApplicationName="storepulse-local-windowing",
        RuntimeEnvironment="FLINK-1_20",  # the latest that the emulator knows
        ServiceExecutionRole="arn:aws:iam::000000000000:role/flink",
    )
    firehose.create_delivery_stream(
        DeliveryStreamName="storepulse-archive-local",
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{RAW_BUCKET}",
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        },
    )


def some_traffic(chain: Chain) -> None:
    """Let the windower count, and set one record aside."""
    kinesis, sqs = chain.emulator.client("kinesis"), chain.emulator.client("sqs")
    for data in (payload(), b"no JSON"):
        kinesis.put_record(StreamName=SOURCE, PartitionKey="1", Data=data)
    url = sqs.get_queue_url(QueueName=BAD_EVENTS)["QueueUrl"]

    def waiting() -> bool:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return told["Attributes"]["ApproximateNumberOfMessages"] != "0"

    wait_until(waiting, 60, "the bad event in the queue")


def test_every_alarm_has_three_commands() -> None:
    assert [(section.alarms, len(section.commands)) for section in sections()] == [
        (section.alarms, 3) for section in sections()
    ]


def test_every_section_says_what_it_means_and_what_to_do() -> None:
    for section in sections():
        meaning, _, rest = section.text.partition("```sh")
        _, _, then = rest.partition("```")
        assert len(meaning.split()) > 10, section.alarms
        assert len(then.split()) > 20, section.alarms


@pytest.mark.parametrize(("alarm", "command"), CASES)
def test_a_command_of_the_runbook_works_and_says_something(account: Account, alarm: str, command: str) -> None:
    service = alarm.partition("-")[0]
    done = account.run(command, SERVICE=service)
    assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}{done.stderr}"
    assert done.stdout.strip() or any(each in command for each in SILENT), command


def test_what_is_in_alarm_can_be_asked(account: Account) -> None:
    *_, in_alarm = preparations()
    name = "storepulse-local-bad-events"
    cloudwatch = account.chain.emulator.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Test",
        MetricName="none",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert account.run(in_alarm).stdout == ""
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    assert name in account.run(in_alarm).stdout


def test_the_shell_is_prepared_in_aws_as_the_runbook_says(account: Account) -> None:
    in_aws, *_ = preparations()
    emulated = (
        f"export AWS_ENDPOINT_URL={account.chain.emulator.url} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test "
        'PATH="$PWD/.venv/bin:$PATH" AWS_REGION=us-east-1\n'
    )
    done = account.shell(f'{emulated}{in_aws}echo "$ACCOUNT $DETECTOR"')
    assert done.stdout == "000000000000 http://detector.storepulse-prod.internal:8083\n", done.stderr


def test_the_laptop_s_own_view_can_be_asked(account: Account, tmp_path: Path) -> None:
    _, _, local, _ = preparations()
    status, logs = local.splitlines()
    (tmp_path / "windower.log").write_text('{"event": "started"}\n')
    own = f"export LOCAL_RUN_DIR={tmp_path}\n"
    assert "windower" in account.shell(f"{own}{status} || true").stdout  # nothing runs in that folder
    assert "started" in account.shell(f"{own}{logs}").stdout
