"""The `StateStore` port over S3: `replays/<id>.json` in the raw bucket."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from producer.errors import StateError
from producer.state import ReplayState, decode_state, encode_state

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client

PREFIX: Final = "replays/"


class S3States:
    """One object a replay."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Keep states in `bucket`."""
        self._client, self._bucket = client, bucket

    async def load(self, replay_id: str) -> ReplayState | None:
        """See the port."""
        try:
            reply = await self._client.get_object(Bucket=self._bucket, Key=f"{PREFIX}{replay_id}.json")
            async with reply["Body"] as body:
                return decode_state(await body.read())
        except self._client.exceptions.NoSuchKey:
            return None
        except (ClientError, BotoCoreError, ValueError, OSError) as error:
            msg = f"the state s3://{self._bucket}/{PREFIX}{replay_id}.json cannot be read: {error}"
            raise StateError(msg) from error

    async def save(self, state: ReplayState) -> None:
        """See the port."""
        try:
            await self._client.put_object(
                Bucket=self._bucket, Key=f"{PREFIX}{state.replay_id}.json", Body=encode_state(state)
            )
        except (ClientError, BotoCoreError, OSError) as error:
            msg = f"the state cannot be kept in s3://{self._bucket}/{PREFIX}: {error}"
            raise StateError(msg) from error
