"""What each role may do, in full: whoever widens or narrows one changes this table, and says why."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.synthesis import Template, actions, statements
from tests.infra.wiring import SETTINGS

HERE = ":us-east-1:111111111111:"
STREAM_1 = f"kinesis{HERE}stream/ecommerce-raw-user-activity-stream-1"
STREAM_2 = f"kinesis{HERE}stream/ecommerce-raw-user-activity-stream-2"
QUEUE = f"sqs{HERE}storepulse-bad-events-test"
BUCKET = "s3:::storepulse-raw-test-111111111111"
TABLE = f"dynamodb{HERE}table/"
READS = "GetRecords GetShardIterator ListShards"
KEEPS = "CreateTable DeleteItem DescribeTable GetItem PutItem Scan UpdateItem"

MAY: Mapping[str, Mapping[str, str]] = {
    "producer": {
        STREAM_1: f"{READS} PutRecords",
        BUCKET: "ListBucket",
        f"{BUCKET}/raw/*": "GetObject",
        f"{BUCKET}/replays/*": "GetObject PutObject",
        f"{BUCKET}/labels/*": "PutObject",
        f"{BUCKET}/bad-events/*": "PutObject",
        QUEUE: "GetQueueUrl SendMessage",
    },
    "windower": {
        STREAM_1: f"DescribeStreamSummary {READS}",
        STREAM_2: "DescribeStreamSummary PutRecords",
        f"{TABLE}windower": KEEPS,
        f"{BUCKET}/bad-events/*": "PutObject",
        QUEUE: "GetQueueAttributes GetQueueUrl SendMessage",
        "*": "PutMetricData",
    },
    "detector": {
        STREAM_2: f"DescribeStream DescribeStreamSummary {READS}",
        f"{TABLE}detector": f"{KEEPS} UpdateTable",
        f"{TABLE}detector/index/LeaseOwnerToLeaseKeyIndex": "Query",
        f"{TABLE}detector-WorkerMetricStats": KEEPS,
        f"{TABLE}detector-CoordinatorState": KEEPS,
        f"{TABLE}storepulse-user-actions-test": "BatchWriteItem DescribeTable PutItem",
        f"{TABLE}storepulse-alerts-test": "DescribeTable GetItem UpdateItem",
        f"sns{HERE}storepulse-alerts-test": "GetTopicAttributes Publish",
        f"{BUCKET}/bad-events/*": "PutObject",
        QUEUE: "GetQueueUrl SendMessage",
        "*": "ListMetrics PutMetricData",
    },
}

KNOW_NO_RESOURCE: Mapping[str, tuple[Any, ...]] = {
    "cloudwatch:ListMetrics": (None,),
    "cloudwatch:PutMetricData": tuple(
        {"StringEquals": {"cloudwatch:namespace": f"Storepulse/{service}"}} for service in ("Detector", "Windower")
    ),
    "ecr:GetAuthorizationToken": (None,),
}
"""The actions that may be allowed on `*`, and the conditions that hold them in their place where there are any."""


def allowed(services: Template) -> list[tuple[str, dict[str, Any]]]:
    """Return the statements of the tasks' roles by policy: what they may do, and what ECS may do for them."""
    policies = {name for name, r in services["Resources"].items() if r["Type"] == "AWS::IAM::Policy"}
    return [(name, statement) for name, statement in statements(services) if name in policies]


def resources(statement: dict[str, Any]) -> list[Any]:
    listed = statement["Resource"]
    return listed if isinstance(listed, list) else [listed]


@pytest.mark.parametrize("service", SETTINGS)
def test_a_role_may_do_what_its_service_needs_and_no_more(services: Template, service: str) -> None:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, statement in allowed(services):
        if name.startswith(f"{service.title()}RoleDefaultPolicy") and "kms:Decrypt" not in actions(statement):
            for resource in resources(statement):
                found[resource.removeprefix("arn:aws:")] |= {each.partition(":")[2] for each in actions(statement)}
    assert {resource: " ".join(sorted(each)) for resource, each in found.items()} == MAY[service]


def test_nothing_is_allowed_on_everything_but_what_knows_no_resource(services: Template) -> None:
    for _, statement in allowed(services):
        if "*" in resources(statement):
            for action in actions(statement):
                assert action in KNOW_NO_RESOURCE
                assert statement.get("Condition") in KNOW_NO_RESOURCE[action]


def test_no_action_is_a_wildcard(services: Template, network: Template, operations: Template) -> None:
    for template in (services, network, operations):
        allowing = [s for _, s in statements(template) if s["Effect"] == "Allow"]
        assert allowing
        assert not [action for statement in allowing for action in actions(statement) if "*" in action]


def test_the_key_is_used_through_the_services_that_hold_data_alone(services: Template) -> None:
    uses = [s for _, s in allowed(services) if any(a.startswith("kms:") for a in actions(s))]
    assert len(uses) == len(SETTINGS)
    for statement in uses:
        assert sorted(actions(statement)) == ["kms:Decrypt", "kms:GenerateDataKey"]
        ((condition, via),) = statement["Condition"]["StringEquals"].items()
        assert condition == "kms:ViaService"
        assert {host.partition(".")[0] for host in via} == {"dynamodb", "s3", "sns", "sqs"}


@pytest.mark.parametrize("service", SETTINGS)
def test_ecs_may_fetch_the_image_and_write_the_log_of_its_service_alone(services: Template, service: str) -> None:
    own = [s for name, s in allowed(services) if name.startswith(f"{service.title()}ExecutionRole")]
    assert {action for statement in own for action in actions(statement)} == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    (log,) = (resources(s)[0] for s in own if "logs:PutLogEvents" in actions(s))
    assert log["Fn::GetAtt"][0].startswith(f"{service.title()}Log")
