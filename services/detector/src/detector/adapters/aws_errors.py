"""AWS's errors in the two words that the use case knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from pynamodb.exceptions import PynamoDBException

from servicekit.errors import PoisonRecordError, RetryableError

#: Refused for what was sent, so that a repetition would be refused as well. All else may pass: throttling and the
#: network by themselves, a missing table or permission when a person has mended it.
_FOR_GOOD: Final = frozenset(
    {
        "InvalidParameter",
        "InvalidParameterException",
        "InvalidParameterValue",
        "ItemCollectionSizeLimitExceededException",
        "SerializationException",
        "ValidationException",
    }
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn SDK errors into ours; `doing` begins the message.

    Raises:
        PoisonRecordError: what was sent can never be accepted.
        RetryableError: any other error of an SDK.
    """
    try:
        yield
    except (ClientError, BotoCoreError, PynamoDBException) as error:
        poison = isinstance(error, ParamValidationError) or _code(error) in _FOR_GOOD
        msg = f"{doing}: {error}"
        raise (PoisonRecordError if poison else RetryableError)(msg) from error


def _code(error: ClientError | BotoCoreError | PynamoDBException) -> str | None:
    match error:
        case ClientError():
            return error.response.get("Error", {}).get("Code")
        case PynamoDBException():
            return error.cause_response_code
        case _:
            return None
