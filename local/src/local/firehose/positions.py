"""How far the archive is: in DynamoDB, so that it lives exactly as long as the emulated streams it points into."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Positions:
    """The last archived sequence number of each shard, in a table of its own."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """Use `table`, which `prepare` makes when it is missing."""
        self._dynamodb = dynamodb
        self._table = table

    def prepare(self) -> None:
        """Make the table; again is fine."""
        try:
            self._dynamodb.create_table(
                TableName=self._table,
                KeySchema=[{"AttributeName": "shard_id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "shard_id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except self._dynamodb.exceptions.ResourceInUseException:
            return

    def load(self, shard_id: str) -> str | None:
        """Return the last archived sequence number of a shard, or None when nothing of it is archived."""
        answer = self._dynamodb.get_item(TableName=self._table, Key={"shard_id": {"S": shard_id}}, ConsistentRead=True)
        return answer["Item"]["sequence_number"]["S"] if "Item" in answer else None

    def save(self, positions: Mapping[str, str]) -> None:
        """Remember that every shard is archived up to these sequence numbers; call it after the object is in S3."""
        for shard_id, sequence_number in positions.items():
            item = {"shard_id": {"S": shard_id}, "sequence_number": {"S": sequence_number}}
            self._dynamodb.put_item(TableName=self._table, Item=item)
