"""A DynamoDB stream batch as the changes it tells of (format: DynamoDB Streams records of a Lambda event source)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from incident_bot.aws.attributes import item
from incident_bot.world import Item, Key


@dataclass(frozen=True, slots=True)
class Change:
    """One item before and after: `before` is None for a new item, `after` for a removed one."""

    sequence: str
    key: Key
    before: Item | None
    after: Item | None


def changes(event: Mapping[str, Any]) -> Iterator[Change]:
    """The changes of a batch, in order."""
    for record in event["Records"]:
        told = record["dynamodb"]
        keys = item(told["Keys"])
        before = item(told["OldImage"]) if "OldImage" in told else None
        after = item(told["NewImage"]) if "NewImage" in told else None
        yield Change(told["SequenceNumber"], (keys["PK"], keys["SK"]), before, after)
