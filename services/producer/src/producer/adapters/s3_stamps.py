"""The `StampStore` port over S3: `replays/stamps/<stream>.json` in the raw bucket, by conditional writes."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from producer.errors import StateError
from producer.stamps import Stamps, decode_stamps, encode_stamps

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client

_CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"})


class S3Stamps:
    """One object a stream."""

    def __init__(self, client: "S3Client", bucket: str, stream: str) -> None:
        """Keep what was stamped on `stream` in `bucket`."""
        self._client, self._bucket, self._key = client, bucket, f"replays/stamps/{stream}.json"

    async def load(self) -> tuple[Stamps, str]:
        """See the port."""
        try:
            reply = await self._client.get_object(Bucket=self._bucket, Key=self._key)
            async with reply["Body"] as body:
                return decode_stamps(await body.read()), reply["ETag"]
        except self._client.exceptions.NoSuchKey:
            return Stamps(), ""
        except (ClientError, BotoCoreError, ValueError, OSError) as error:
            msg = f"s3://{self._bucket}/{self._key} cannot be read: {error}"
            raise StateError(msg) from error

    async def save(self, stamps: Stamps, version: str) -> bool:
        """See the port."""
        body = encode_stamps(stamps)
        try:
            if version:
                await self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body, IfMatch=version)
            else:
                await self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _CHANGED:
                return False
            msg = f"s3://{self._bucket}/{self._key} cannot be written: {error}"
            raise StateError(msg) from error
        except (BotoCoreError, OSError) as error:
            msg = f"s3://{self._bucket}/{self._key} cannot be written: {error}"
            raise StateError(msg) from error
        return True
