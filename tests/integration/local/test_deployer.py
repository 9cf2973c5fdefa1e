import json
from pathlib import Path

import pytest

from local.deployer import TEMPLATES, Deployer, deploy_all, deployed_outputs
from local.errors import LocalError
from tests.emulator import Emulator, free_port
from tests.integration.local.running import environment, local, one_line

pytestmark = pytest.mark.emulator

STREAMS = ["ecommerce-raw-user-activity-stream-1", "ecommerce-raw-user-activity-stream-2"]


def test_the_first_deployment_creates_and_the_next_leaves_everything_as_it_is(own_emulator: Emulator) -> None:
    (first,) = deploy_all(own_emulator.url)
    own_emulator.client("s3").put_object(Bucket=first.outputs["RawBucketName"], Key="kept", Body=b"")
    (second,) = deploy_all(own_emulator.url)
    assert (first.change, second.change) == ("created", "unchanged")
    assert (first.resources, first.outputs) == (second.resources, second.outputs)
    listed = own_emulator.client("s3").list_objects_v2(Bucket=first.outputs["RawBucketName"])
    assert [found["Key"] for found in listed["Contents"]] == ["kept"]


def test_the_streams_have_two_shards_each(own_emulator: Emulator) -> None:
    deploy_all(own_emulator.url)
    kinesis = own_emulator.client("kinesis")
    assert [len(kinesis.list_shards(StreamName=name)["Shards"]) for name in STREAMS] == [2, 2]


def test_every_output_names_something_that_is_there(own_emulator: Emulator) -> None:
    deploy_all(own_emulator.url)
    outputs = deployed_outputs(own_emulator.url)
    dynamodb = own_emulator.client("dynamodb")
    for table in (outputs["UserActionsTableName"], outputs["AlertsTableName"]):
        assert dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
    own_emulator.client("s3").head_bucket(Bucket=outputs["RawBucketName"])
    own_emulator.client("sns").get_topic_attributes(TopicArn=outputs["AlertsTopicArn"])
    own_emulator.client("sqs").send_message(QueueUrl=outputs["BadEventsQueueUrl"], MessageBody="{}")
    assert [outputs["RawStreamName"], outputs["CountsStreamName"]] == STREAMS


def test_a_template_that_changed_updates_its_stack(own_emulator: Emulator) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "changing"}}
    other = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "added"}}
    deployer = Deployer(own_emulator.url)
    made = [
        deployer.deploy("Changing", json.dumps({"Resources": resources}))
        for resources in ({"One": queue}, {"One": queue, "Two": other})
    ]
    assert [deployment.change for deployment in made] == ["created", "updated"]
    assert own_emulator.client("sqs").get_queue_url(QueueName="added")["QueueUrl"]


def test_a_type_the_emulator_does_not_know_is_named(own_emulator: Emulator) -> None:
    with pytest.raises(LocalError, match="AWS::EC2::NoSuchThing"):
        Deployer(own_emulator.url).deploy("Unknown", '{"Resources": {"It": {"Type": "AWS::EC2::NoSuchThing"}}}')


def test_a_resource_that_fails_is_named_and_can_be_put_right(own_emulator: Emulator) -> None:
    own_emulator.client("kinesis").create_stream(StreamName="taken", ShardCount=1)
    taken = {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "taken", "ShardCount": "many"}}
    deployer = Deployer(own_emulator.url)
    with pytest.raises(LocalError, match=r"Broken is ROLLBACK_COMPLETE: .*Stream: "):
        deployer.deploy("Broken", json.dumps({"Resources": {"Stream": taken}}))
    fixed = deployer.deploy("Broken", '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}')
    assert fixed.change == "created"


def test_the_command_line_prints_the_outputs_as_json(own_emulator: Emulator, tmp_path: Path) -> None:
    env = environment(tmp_path, port=own_emulator.port)
    result = local("deploy", "--json", env=env)
    assert result.returncode == 0
    assert json.loads(result.stdout).keys() == json.loads((TEMPLATES / "data.json").read_text())["Outputs"].keys()


def test_the_command_line_prints_what_was_made(own_emulator: Emulator, tmp_path: Path) -> None:
    shown = local("deploy", env=environment(tmp_path, port=own_emulator.port)).stdout
    assert "Storepulse-Data-local" in shown
    assert all(stream in shown for stream in STREAMS)


def test_without_an_emulator_the_message_is_one_line(tmp_path: Path) -> None:
    result = local("deploy", env=environment(tmp_path, port=free_port()))
    assert result.returncode == 1
    assert "did not deploy Storepulse-Data-local" in one_line(result.stderr)
