"""The two tables as the stack deploys them, made in moto."""

from typing import Any

TABLE, TIMELINE = "incidents", "timeline"
KEYS = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]


def make_tables(client: Any) -> None:
    """Create both tables with their keys and the two sparse indexes."""
    strings = ("PK", "SK", "due", "due_at", "opened", "opened_at")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=KEYS,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in strings],
        GlobalSecondaryIndexes=[_index("due", "due_at"), _index("opened", "opened_at")],
    )
    client.create_table(
        TableName=TIMELINE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=KEYS,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
    )


def _index(partition: str, sort: str) -> dict[str, Any]:
    return {
        "IndexName": partition,
        "KeySchema": [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
