"""Items as DynamoDB spells them, and back; int and float stay apart.

DynamoDB knows one kind of number and returns 1.0 as 1. A whole float is therefore kept as a number set of one, which no
other value of ours is.
"""

import math
from collections.abc import Mapping
from typing import Any

from incident_bot.world import Item

DIGITS = 38  # more than these DynamoDB does not keep
SMALLEST, LARGEST = 1e-130, 1e126


def encoded(value: Any) -> dict[str, Any]:
    """The attribute value; TypeError for what is neither JSON's nor bytes, or DynamoDB cannot keep."""
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is bool:
        return {"BOOL": value}
    if kind is int:
        return {"N": _whole(value)}
    if kind is float:
        return _float(value)
    if value is None:
        return {"NULL": True}
    if kind is bytes:
        return {"B": value}
    if isinstance(value, Mapping):
        return {"M": attributes(value)}
    if isinstance(value, (list, tuple)):
        return {"L": [encoded(entry) for entry in value]}
    raise TypeError(f"a {kind.__name__} is neither JSON's nor bytes: {value!r}")


def attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """All attributes of an item (or of a mapping inside one)."""
    for name in item:
        if type(name) is not str:
            raise TypeError(f"a mapping's key is a string, not {name!r}")
    return {name: encoded(value) for name, value in item.items()}


def decoded(attribute: Mapping[str, Any]) -> Any:
    """The value of one attribute."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return int(value) if value.lstrip("-").isdigit() else float(value)
    if kind == "NS":
        return float(value[0])
    if kind == "M":
        return item(value)
    if kind == "L":
        return [decoded(entry) for entry in value]
    return None if kind == "NULL" else value


def item(image: Mapping[str, Any]) -> Item:
    """The item that a response, or a stream's image, describes."""
    return {name: decoded(attribute) for name, attribute in image.items()}


def _whole(value: int) -> str:
    if abs(value) >= 10**DIGITS:
        raise TypeError(f"{value} has more digits than DynamoDB keeps")
    return str(value)


def _float(value: float) -> dict[str, Any]:
    if not math.isfinite(value) or abs(value) >= LARGEST or 0 < abs(value) < SMALLEST:
        raise TypeError(f"{value} is no number that DynamoDB keeps")
    value += 0.0  # minus zero is zero
    return {"NS": [repr(value)]} if value.is_integer() else {"N": repr(value)}
