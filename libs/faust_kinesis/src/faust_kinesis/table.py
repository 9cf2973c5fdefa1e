"""The lease table in DynamoDB: every write is conditional on still being the owner."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from faust_kinesis import snapshot
from faust_kinesis.errors import TRANSIENT_CODES, LeaseLostError, code_of
from faust_kinesis.lease import Checkpoint, Lease, Status, from_item, to_item

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

TRANSACTION_ITEMS = 100  # DynamoDB's limit
REFUSED = "ConditionalCheckFailedException"
LOST = "ConditionalCheckFailed"  # the same, as a reason of a cancelled transaction
NO_REASON = "None"  # of an item that had no part in it


class LeaseTable:
    """Reads and writes leases for one owner; each method is one try and raises what the client raises."""

    def __init__(self, dynamodb: "DynamoDBClient", name: str, owner: str) -> None:
        """Use table `name` as worker `owner`."""
        self.name = name
        self.owner = owner
        self._db = dynamodb

    async def ensure(self) -> None:
        """Create the table when it is not there, and wait until it is active."""
        try:
            await self._db.describe_table(TableName=self.name)
        except self._db.exceptions.ResourceNotFoundException:
            await self._create()
        await self._db.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig={"Delay": 1})

    async def _create(self) -> None:
        try:
            await self._db.create_table(
                TableName=self.name,
                KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except self._db.exceptions.ResourceInUseException:
            return  # another worker was faster

    async def all(self) -> dict[str, Lease]:
        """Return every lease by its key (a consistent scan)."""
        leases: dict[str, Lease] = {}
        page: dict[str, Any] = {}
        while True:
            page = dict(await self._db.scan(TableName=self.name, ConsistentRead=True, **_after(page)))
            found = (from_item(item) for item in page["Items"] if "shard_id" in item)
            leases |= {lease.key: lease for lease in found}
            if not page.get("LastEvaluatedKey"):
                return leases

    async def agree_on_start(self, stream: str, start: str) -> str:
        """Store where the reading of `stream` begins, if nobody has yet; return what is stored.

        This is what makes LATEST one moment for all shards, workers and restarts.
        """
        item = {"key": {"S": stream}, "start": {"S": start}}
        try:
            await self._put_new(item)
        except ClientError as error:
            if code_of(error) != REFUSED:
                raise
        reply = await self._db.get_item(TableName=self.name, Key={"key": {"S": stream}}, ConsistentRead=True)
        return str(reply["Item"]["start"]["S"])

    async def add(self, lease: Lease) -> None:
        """Add a lease for a shard that has none; one that is there already stays as it is."""
        try:
            await self._put_new(to_item(lease))
        except ClientError as error:
            if code_of(error) != REFUSED:
                raise

    async def _put_new(self, item: dict[str, Any]) -> None:
        await self._db.put_item(
            TableName=self.name,
            Item=item,
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": "key"},
        )

    async def claim(self, lease: Lease) -> Lease | None:
        """Renew a lease, or take it over, as it was seen; None when somebody else was faster.

        The lease returned is what is stored now: a checkpoint that its last owner moved meanwhile is in it.
        """
        seen = {"counter": {"N": str(lease.counter)}, "owner": {"S": lease.owner}}
        changes = {"owner": {"S": self.owner}, "counter": {"N": str(lease.counter + 1)}}
        return await self._update(lease.key, seen, changes)

    async def release(self, lease: Lease) -> None:
        """Give a lease up, if it is still this owner's."""
        await self._update(lease.key, self._mine, {"owner": {"S": ""}})

    async def set_status(self, lease: Lease, status: Status) -> Lease | None:
        """Store how far the shard is read; None when the lease is lost."""
        return await self._update(lease.key, self._mine, {"status": {"S": status.value}})

    async def forget(self, lease: Lease) -> None:
        """Delete the lease of a shard that is done with, as it was seen."""
        names, values, condition = _terms({"counter": {"N": str(lease.counter)}, "status": {"S": lease.status.value}})
        try:
            await self._db.delete_item(
                TableName=self.name,
                Key={"key": {"S": lease.key}},
                ConditionExpression=" AND ".join(condition),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if code_of(error) != REFUSED:
                raise

    @property
    def _mine(self) -> dict[str, Any]:
        return {"owner": {"S": self.owner}}

    async def commit(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Move the given checkpoints (by lease key), each by itself or up to 100 in one transaction.

        Raises:
            LeaseLostError: a lease is another worker's now; nothing of its transaction is written.
        """
        entries = sorted(checkpoints.items())
        for first in range(0, len(entries), TRANSACTION_ITEMS):
            await self._commit(entries[first : first + TRANSACTION_ITEMS])

    async def _commit(self, entries: Sequence[tuple[str, Checkpoint]]) -> None:
        items: Any = [{"Update": self._expression(key, self._mine, _attributes(point))} for key, point in entries]
        try:
            await self._db.transact_write_items(TransactItems=items)
        except self._db.exceptions.TransactionCanceledException as error:
            raise _why_cancelled(error, [key for key, _ in entries]) from error

    async def commit_together(self, points: Mapping[str, Checkpoint]) -> None:
        """Move every checkpoint in one write; `points` are all there are (see `take_snapshot`).

        Raises:
            LeaseLostError: another worker took the snapshot since; nothing is written.
            ValueError: there are more than an item can hold.
        """
        names, values, terms = _terms(self._mine)
        try:
            await self._db.put_item(
                TableName=self.name,
                Item=snapshot.to_item(self.owner, points),
                ConditionExpression=" AND ".join(terms),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if code_of(error) == REFUSED:
                raise LeaseLostError(snapshot.KEY) from error
            raise

    async def take_snapshot(self, *, create: bool) -> dict[str, Checkpoint]:
        """Return what was committed together last; nobody who took it before can commit from now on.

        Without `create` a table where no exclusive worker has ever been stays without one.
        """
        condition: Any = {} if create else {"ConditionExpression": "attribute_exists(#owner)"}
        try:
            reply = await self._db.update_item(
                TableName=self.name,
                Key={"key": {"S": snapshot.KEY}},
                UpdateExpression="SET #owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": self.owner}},
                ReturnValues="ALL_NEW",
                **condition,
            )
        except ClientError as error:
            if code_of(error) == REFUSED:
                return {}
            raise
        return snapshot.from_item(reply["Attributes"])

    async def _update(self, key: str, condition: Mapping[str, Any], changes: Mapping[str, Any]) -> Lease | None:
        try:
            reply = await self._db.update_item(**self._expression(key, condition, changes), ReturnValues="ALL_NEW")
        except ClientError as error:
            if code_of(error) == REFUSED:
                return None
            raise
        return from_item(reply["Attributes"])

    def _expression(self, key: str, condition: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        names, values, terms = _terms(condition)
        return {
            "TableName": self.name,
            "Key": {"key": {"S": key}},
            "ConditionExpression": " AND ".join(terms),
            "UpdateExpression": "SET " + ", ".join(f"#n_{name} = :n_{name}" for name in changes),
            "ExpressionAttributeNames": names | {f"#n_{name}": name for name in changes},
            "ExpressionAttributeValues": values | {f":n_{name}": value for name, value in changes.items()},
        }


def _after(page: Mapping[str, Any]) -> dict[str, Any]:
    return {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}


def _terms(condition: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any], list[str]]:
    names = {f"#c_{name}": name for name in condition}
    values = {f":c_{name}": value for name, value in condition.items()}
    return names, values, [f"#c_{name} = :c_{name}" for name in condition]


def _attributes(point: Checkpoint) -> dict[str, Any]:
    return {
        "offset": {"N": str(point.offset)},
        "sequence": {"S": point.sequence},
        "metadata": {"S": point.metadata},
        "version": {"N": str(point.version)},
    }


def _why_cancelled(error: ClientError, keys: Sequence[str]) -> Exception:
    """Return what a cancelled transaction means: a lost lease before all else, then what no retry mends."""
    reasons: Any = error.response.get("CancellationReasons") or []
    codes = [str(reason.get("Code", NO_REASON)) for reason in reasons]
    lost = [key for key, code in zip(keys, codes, strict=False) if code == LOST]
    told = sorted({code for code in codes if code != NO_REASON}, key=lambda code: (code in TRANSIENT_CODES, code))
    if lost or not told:
        return LeaseLostError(", ".join(lost or keys))
    return ClientError({"Error": {"Code": told[0], "Message": str(error)}}, "TransactWriteItems")
