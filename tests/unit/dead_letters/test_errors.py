"""Which errors of AWS are worth another try."""

import aiohttp
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from dead_letters.errors import may_pass
from servicekit.errors import RetryableError


def answer(code: str, status: int = 400) -> ClientError:
    """Return an error as AWS answers it."""
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # what is read of it
        "SendMessageBatch",
    )


@pytest.mark.parametrize(
    "error",
    [
        answer("ThrottlingException"),
        answer("RequestThrottled"),
        answer("KmsThrottled"),
        answer("OverLimit", 403),
        answer("SlowDown", 503),
        answer("InternalError", 500),
        answer("429", 429),
        answer("ExpiredToken"),
        EndpointConnectionError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
        NoCredentialsError(),
        aiohttp.ClientPayloadError(),
        ConnectionResetError(),
        TimeoutError(),
        RetryableError(),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDenied", 403),
        answer("AWS.SimpleQueueService.NonExistentQueue"),
        answer("NoSuchBucket", 404),
        answer("InvalidMessageContents"),
        ParamValidationError(report="x"),
        ValueError(),
    ],
    ids=repr,
)
def test_what_will_not_pass_is_not(error: Exception) -> None:
    assert not may_pass(error)
