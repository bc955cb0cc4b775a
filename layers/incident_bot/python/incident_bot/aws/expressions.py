"""Our writes as DynamoDB's requests: conditions and updates compiled to its expressions."""

from collections.abc import Mapping
from typing import Any

from incident_bot.aws.attributes import attributes, encoded
from incident_bot.world import Absent, Below, Check, Delete, Expect, Key, OneOf, Put, Shorter, Update, Write

OPERATIONS: Mapping[type, str] = {Put: "Put", Update: "Update", Delete: "Delete", Check: "ConditionCheck"}


class _Expression:
    """Placeholders for the names and values of one request, because half of all names are reserved words."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        return self.names.setdefault(attribute, f"#{len(self.names)}")

    def value(self, value: Any) -> str:
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = encoded(value)
        return placeholder

    def placeholders(self) -> dict[str, Any]:
        names = {placeholder: attribute for attribute, placeholder in self.names.items()}
        return _present(ExpressionAttributeNames=names, ExpressionAttributeValues=self.values)


def key(key: Key) -> dict[str, Any]:
    """The key of an item."""
    return {"PK": {"S": key[0]}, "SK": {"S": key[1]}}


def request(write: Write) -> dict[str, Any]:
    """The parameters of that write, but for the table's name."""
    expression = _Expression()
    condition = _condition(expression, write.expect)
    if isinstance(write, Put):
        subject: dict[str, Any] = {"Item": attributes(write.item)}
    elif isinstance(write, Update):
        subject = {"Key": key(write.key), **_present(UpdateExpression=_changes(expression, write))}
    else:
        subject = {"Key": key(write.key)}
    return {**subject, **_present(ConditionExpression=condition), **expression.placeholders()}


def _condition(expression: _Expression, expect: Expect) -> str:
    return " AND ".join(_clause(expression, name, wanted) for name, wanted in expect.items())


def _clause(expression: _Expression, attribute: str, wanted: Any) -> str:
    name = expression.name(attribute)
    if isinstance(wanted, Absent):
        return f"attribute_not_exists({name})"
    if isinstance(wanted, Below):
        return f"(attribute_not_exists({name}) OR {name} < {expression.value(wanted.value)})"
    if isinstance(wanted, Shorter):
        return f"(attribute_not_exists({name}) OR size({name}) < {expression.value(wanted.length)})"
    if isinstance(wanted, OneOf):
        return f"{name} IN ({', '.join(expression.value(value) for value in wanted.values)})"
    return f"{name} = {expression.value(wanted)}"


def _changes(expression: _Expression, update: Update) -> str:
    sets = [f"{expression.name(name)} = {expression.value(value)}" for name, value in update.set.items()]
    for attribute, entries in update.append.items():
        name = expression.name(attribute)
        empty = expression.value([])
        sets.append(f"{name} = list_append(if_not_exists({name}, {empty}), {expression.value(list(entries))})")
    adds = [f"{expression.name(name)} {expression.value(number)}" for name, number in update.add.items()]
    removes = [expression.name(name) for name in update.remove]
    clauses = {"SET": sets, "ADD": adds, "REMOVE": removes}
    return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


def _present(**parameters: Any) -> dict[str, Any]:
    """DynamoDB refuses empty expressions and empty maps of placeholders: those are left out."""
    return {name: value for name, value in parameters.items() if value}
