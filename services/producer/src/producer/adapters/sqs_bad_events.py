"""The `BadEvents` port over SQS and S3."""

from collections.abc import Sequence

from dead_letters.errors import DeadLetterError
from dead_letters.sink import DeadLetters
from producer.errors import DeliveryError
from storepulse.failures import BadEvent


class SqsBadEvents:
    """A queue, and a bucket for large payloads."""

    def __init__(self, letters: DeadLetters) -> None:
        """Hand on to `letters`, whose patience must have an end."""
        self._letters = letters

    async def add(self, bad: Sequence[BadEvent]) -> None:
        """See the port."""
        try:
            await self._letters.put(bad)
        except DeadLetterError as error:
            raise DeliveryError(str(error)) from error
