"""Writes the first lease rows: a KCL that finds an empty lease table waits 1 to 30 s by chance before it fills it."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from detector.adapters.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef


def seed_leases(
    kinesis: "KinesisClient", dynamodb: "DynamoDBClient", *, stream: str, table: str, position: str
) -> list[str]:
    """Write one lease a shard when `table` has none at all; return the shards whose row was written.

    Idempotent, and harmless beside a running KCL: a row that is there stays as it is.

    Args:
        kinesis: reads the stream's shards.
        dynamodb: writes the table, which is created when it is missing.
        stream: the stream's name.
        table: the KCL's lease table, named after its application.
        position: TRIM_HORIZON or LATEST.

    Raises:
        RetryableError: AWS is out of reach, or there is no such stream yet.
        PoisonRecordError: AWS takes none of it.
    """
    with translated(f"seeding the leases in {table}"):
        if not _created(dynamodb, table) and dynamodb.scan(TableName=table, Limit=1)["Items"]:
            return []
        shards = _shards(kinesis, stream, position)
        return [shard["ShardId"] for shard in shards if _put(dynamodb, table, shard, position)]


def _created(dynamodb: "DynamoDBClient", table: str) -> bool:
    try:
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
        )
    except dynamodb.exceptions.ResourceInUseException:
        return False
    dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return True


def _shards(kinesis: "KinesisClient", stream: str, position: str) -> "list[ShardTypeDef]":
    at = "AT_LATEST" if position == "LATEST" else "AT_TRIM_HORIZON"
    reply = kinesis.list_shards(StreamName=stream, ShardFilter={"Type": at})  # type: ignore[typeddict-item]  # a variable
    shards = [*reply["Shards"]]
    while token := reply.get("NextToken"):
        reply = kinesis.list_shards(NextToken=token)
        shards += reply["Shards"]
    return shards


def _put(dynamodb: "DynamoDBClient", table: str, shard: "ShardTypeDef", position: str) -> bool:
    row: dict[str, Any] = {
        "leaseKey": {"S": shard["ShardId"]},
        "checkpoint": {"S": position},
        "checkpointSubSequenceNumber": {"N": "0"},
        "leaseCounter": {"N": "0"},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
        "startingHashKey": {"S": shard["HashKeyRange"]["StartingHashKey"]},
        "endingHashKey": {"S": shard["HashKeyRange"]["EndingHashKey"]},
    }
    try:
        dynamodb.put_item(TableName=table, Item=row, ConditionExpression="attribute_not_exists(leaseKey)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
