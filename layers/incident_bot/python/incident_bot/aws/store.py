"""The two DynamoDB tables as a `Store`: conditional writes, consistent reads, bounded and jittered retries."""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from incident_bot.aws.attributes import item
from incident_bot.aws.expressions import OPERATIONS, key, request
from incident_bot.aws.failures import code, translated
from incident_bot.domain.errors import Conflict, Invalid, Unavailable
from incident_bot.state.keys import SHARDS
from incident_bot.world import Check, Delete, Item, Key, Put, Update, Write

ATTEMPTS = 6  # with the pauses below: about one second before we give up
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
READ_AT_ONCE = WRITTEN_AT_ONCE = 100
SINGLE: dict[type, str] = {Put: "put_item", Update: "update_item", Delete: "delete_item"}
CONDITION = "ConditionalCheckFailed"
THROTTLES = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class DynamoStore:
    """A `Store` over a low-level DynamoDB client, created at the first call."""

    def __init__(
        self,
        connect: Callable[[], Any],
        table: str,
        timeline: str,
        *,
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._connect = connect
        self._table = table
        self._timeline = timeline
        self._pause = pause
        self._chance = chance

    def get(self, wanted: Key) -> Item | None:
        parameters = {"TableName": self._of(wanted[0]), "Key": key(wanted), "ConsistentRead": True}
        answer = self._call("get_item", parameters)
        return item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key], *, lagging: bool = False) -> dict[Key, Item]:
        distinct = list(dict.fromkeys(keys))
        found: dict[Key, Item] = {}
        for start in range(0, len(distinct), READ_AT_ONCE):
            found |= self._batch(distinct[start : start + READ_AT_ONCE], consistent=not lagging)
        return {wanted: found[wanted] for wanted in distinct if wanted in found}

    def query(self, pk: str, prefix: str = "", *, limit: int = 0, backwards: bool = False) -> list[Item]:
        condition = "PK = :pk AND begins_with(SK, :prefix)" if prefix else "PK = :pk"
        values = {":pk": {"S": pk}, ":prefix": {"S": prefix}} if prefix else {":pk": {"S": pk}}
        parameters = {
            "TableName": self._of(pk),
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
            "ScanIndexForward": not backwards,
        }
        return self._pages(parameters, limit)

    def write(self, writes: Sequence[Write]) -> None:
        keys = [write.key for write in writes]
        if len(keys) > WRITTEN_AT_ONCE or len(set(keys)) < len(keys):
            raise Invalid("a transaction holds at most 100 writes, each of another item", where="transaction")
        if not writes:
            return
        if len(writes) == 1 and not isinstance(writes[0], Check):
            (write,) = writes
            parameters = {"TableName": self._of(write.key[0]), **request(write)}
            self._call(SINGLE[type(write)], parameters, keys)
            return
        items = [{OPERATIONS[type(write)]: {"TableName": self._of(write.key[0]), **request(write)}} for write in writes]
        # One token for all attempts: a transaction whose answer was lost is not written twice.
        self._call("transact_write_items", {"TransactItems": items, "ClientRequestToken": str(uuid.uuid4())}, keys)

    def update(self, update: Update) -> Item:
        parameters = {"TableName": self._of(update.key[0]), **request(update), "ReturnValues": "ALL_NEW"}
        return item(self._call("update_item", parameters, [update.key])["Attributes"])

    def due(self, until: str) -> list[Key]:
        # One page of each shard (thousands of keys) is more than one sweep can do; the next one takes the rest.
        found = [entry for shard in range(SHARDS) for entry in self._due_in(f"DUE#{shard}", until)]
        return [(entry["PK"], entry["SK"]) for entry in sorted(found, key=lambda e: (e["due_at"], e["PK"], e["SK"]))]

    def opened(self, *, limit: int = 200) -> list[Key]:
        parameters = {
            "TableName": self._table,
            "IndexName": "opened",
            "KeyConditionExpression": "opened = :opened",
            "ExpressionAttributeValues": {":opened": {"S": "INCIDENT"}},
            "ScanIndexForward": False,
        }
        return [(entry["PK"], entry["SK"]) for entry in self._pages(parameters, limit)]

    def _due_in(self, shard: str, until: str) -> list[Item]:
        parameters = {
            "TableName": self._table,
            "IndexName": "due",
            "KeyConditionExpression": "due = :shard AND due_at <= :until",
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":until": {"S": until}},
        }
        return [item(image) for image in self._call("query", parameters)["Items"]]

    def _pages(self, parameters: dict[str, Any], limit: int) -> list[Item]:
        found: list[Item] = []
        while True:
            if limit:
                parameters["Limit"] = limit - len(found)
            answer = self._call("query", parameters)
            found += [item(image) for image in answer["Items"]]
            if "LastEvaluatedKey" not in answer or (limit and len(found) >= limit):
                return found
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _batch(self, keys: Sequence[Key], *, consistent: bool) -> dict[Key, Item]:
        wanted: dict[str, Any] = {}
        for each in keys:
            wanted.setdefault(self._of(each[0]), {"Keys": [], "ConsistentRead": consistent})["Keys"].append(key(each))
        found: list[Item] = []
        for attempt in range(ATTEMPTS):
            answer = self._call("batch_get_item", {"RequestItems": wanted})
            found += [item(image) for images in answer["Responses"].values() for image in images]
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return {(entry["PK"], entry["SK"]): entry for entry in found}
            self._wait(attempt)
        raise Unavailable("DynamoDB left keys of a batch unread")

    def _call(self, operation: str, parameters: dict[str, Any], keys: Sequence[Key] = ()) -> Any:
        for attempt in range(ATTEMPTS):
            with translated(f"DynamoDB {operation}"):
                try:
                    return getattr(self._connect(), operation)(**parameters)
                except ClientError as error:
                    if failed := _failed(error, keys):
                        raise Conflict(f"conditions did not hold: {failed}", failed=failed) from error
                    if not _passing(error):
                        raise
            self._wait(attempt)
        raise Unavailable(f"DynamoDB {operation}: throttled {ATTEMPTS} times")

    def _wait(self, attempt: int) -> None:
        if attempt < ATTEMPTS - 1:
            self._pause(self._chance() * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt))

    def _of(self, pk: str) -> str:
        return self._timeline if pk.startswith("LOG#") else self._table


def _reasons(error: ClientError) -> list[str]:
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]


def _failed(error: ClientError, keys: Sequence[Key]) -> tuple[Key, ...]:
    """The keys whose condition did not hold; empty where that is not what went wrong."""
    if code(error) == "ConditionalCheckFailedException":
        return tuple(keys)
    return tuple(key for key, reason in zip(keys, _reasons(error), strict=False) if reason == CONDITION)


def _passing(error: ClientError) -> bool:
    """Whether the next try may succeed: throttled, or in the way of another transaction."""
    reasons = {reason for reason in _reasons(error) if reason != "None"}
    return code(error) in THROTTLES or (bool(reasons) and reasons <= THROTTLES)
