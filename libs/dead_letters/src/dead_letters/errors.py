"""What can go wrong, sorted by what to do."""

from typing import Final

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from servicekit.errors import RetryableError

SERVER_ERROR: Final = 500
TOO_MANY_REQUESTS: Final = 429
_PASSING: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "KmsThrottled",
        "OverLimit",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "SlowDown",
        "TooManyRequestsException",
    }
)


class DeadLetterError(Exception):
    """A bad event is not kept; all of them can be given again."""


class RefusedError(DeadLetterError):
    """SQS or S3 refuses for a reason that a retry does not mend: a missing queue, bucket or permission."""


class GivenUpError(DeadLetterError):
    """It has been tried for long enough, or the service stops."""


def may_pass(error: Exception) -> bool:
    """Tell whether `error` may mend by itself: throttling, a server's failure, the network, credentials run out."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", SERVER_ERROR))
        return code in _PASSING or "Throttl" in code or status >= SERVER_ERROR or status == TOO_MANY_REQUESTS
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, RetryableError | BotoCoreError | aiohttp.ClientError | OSError)
