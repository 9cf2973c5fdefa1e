"""What can go wrong, sorted by what to do: wait and try again, or stop the worker."""

import asyncio

import aiohttp
import msgspec
from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

THROTTLED_CODES = frozenset(
    {
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",  # so in a cancelled transaction's reasons
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
    }
)
TRANSIENT_CODES = THROTTLED_CODES | {
    "InternalFailure",
    "InternalFailureException",
    "InternalServerError",
    "ReplicatedWriteConflictException",
    "RequestTimeout",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
SERVER_ERROR = 500
MAX_DESCRIPTION = 300
NETWORK_ERRORS = (
    HTTPClientError,
    BotoConnectionError,
    ResponseParserError,
    msgspec.MsgspecError,
    aiohttp.ClientError,
    asyncio.TimeoutError,
    OSError,
)


class FaustKinesisError(Exception):
    """Root of this package's own errors."""


class OptionError(FaustKinesisError, ValueError):
    """A broker URL that is not understood; the text says which option and what it takes."""


class LeaseLostError(FaustKinesisError):
    """Another worker owns a shard now: this worker may no longer move its checkpoint."""


class StoppedError(FaustKinesisError):
    """The worker stops, so what was being retried is given up; nothing was acknowledged for it."""


class RecordRefusedError(FaustKinesisError, ValueError):
    """Kinesis can never take this record (too large, or a key it does not allow)."""


class SendError(FaustKinesisError):
    """Kinesis refused a record for a reason that a retry does not mend."""


def code_of(error: BaseException) -> str:
    """Return the AWS error code of `error`, or its class name when AWS did not answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def describe(error: BaseException) -> str:
    """Return a line for the log: what kind of error, and the start of what it says."""
    return f"{code_of(error)}: {error}"[:MAX_DESCRIPTION]


def is_throttled(error: BaseException) -> bool:
    """Tell whether AWS is up and only asked too often."""
    return isinstance(error, ClientError) and code_of(error) in THROTTLED_CODES


def is_transient(error: BaseException) -> bool:
    """Tell whether `error` may mend by itself: throttling, a server's failure, the network."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in TRANSIENT_CODES or status >= SERVER_ERROR
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, NETWORK_ERRORS)
