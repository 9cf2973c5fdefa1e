"""The codes that are retried are AWS's own: botocore's models of the services name them."""

import json
import re
from functools import cache
from typing import Any

import pytest
from botocore.loaders import create_loader

from faust_kinesis.errors import THROTTLED_CODES, TRANSIENT_CODES

SERVICES = ("kinesis", "dynamodb")
PASSES = re.compile(
    r"request throttling|request rate for the stream is too high|exceeds the current throughput", re.IGNORECASE
)
FAILED = re.compile(
    r"processing of the request failed because of an unknown|error occurred on the server", re.IGNORECASE
)
CONFLICT = re.compile(r"ongoing transaction|transaction with the given request token|being modified by", re.IGNORECASE)


@cache
def model(service: str) -> dict[str, Any]:
    return dict(create_loader().load_service_model(service, "service-2"))


@cache
def words() -> str:
    """All that botocore says of the two services, and of retries for every service."""
    return "".join(json.dumps(model(service)) for service in SERVICES) + json.dumps(create_loader().load_data("_retry"))


def errors() -> list[tuple[str, str]]:
    """Each error of each service."""
    return sorted(
        (service, name)
        for service in SERVICES
        for name, shape in model(service)["shapes"].items()
        if shape.get("exception")
    )


def reasons() -> dict[str, str]:
    """The codes that can be among a transaction's cancellation reasons, and what is said of each."""
    told = model("dynamodb")["shapes"]["TransactionCanceledException"]["documentation"]
    parts = re.split(r"Code: <code>(\w+)</code>", told)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_botocore_knows_a_code_that_is_retried(code: str) -> None:
    assert re.search(rf"\b{code}\b", words())


@pytest.mark.parametrize(("service", "name"), errors())
def test_an_error_that_the_models_call_passing_is_retried(service: str, name: str) -> None:
    shape = model(service)["shapes"][name]
    told = shape.get("documentation", "")
    if name.endswith("ThrottlingException") or PASSES.search(told):
        assert name in THROTTLED_CODES
    if "retryable" in shape or FAILED.search(told) or CONFLICT.search(told):
        assert name in TRANSIENT_CODES | {"TransactionCanceledException"}  # which has reasons of its own


def test_of_the_reasons_for_a_cancelled_transaction_all_are_retried_but_lost_leases_and_our_own_faults() -> None:
    told = reasons()
    assert told.keys() - TRANSIENT_CODES == {
        "None",
        "ConditionalCheckFailed",
        "ItemCollectionSizeLimitExceeded",
        "ValidationError",
    }
    assert {"ThrottlingError", "ProvisionedThroughputExceeded"} == told.keys() & THROTTLED_CODES
