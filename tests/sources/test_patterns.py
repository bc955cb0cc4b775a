"""Would the events that the examples show be brought by EventBridge, and those that say nothing be left where they are?

The patterns are matched as EventBridge documents it:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.clock import instant
from incident_bot.sources import Example, Source, read

EVENTS = [
    pytest.param(source, example, id=f"{name}: {example.name}")
    for name, source in plugins.sources().items()
    for example in source.examples
    if "detail-type" in example.body
]
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether all fields of the pattern match; in an array it is enough that one element does."""
    if isinstance(event, list):
        return any(matches(pattern, one) for one in event)
    found = event if isinstance(event, Mapping) else {}
    return all(
        any(matches(choice, found) for choice in wanted)
        if field == "$or"
        else matches(wanted, found.get(field))
        if isinstance(wanted, Mapping)
        else any(_fits(one, found.get(field), field in found) for one in wanted)
        for field, wanted in pattern.items()
    )


def _fits(wanted: Any, found: Any, there: bool) -> bool:
    if isinstance(wanted, Mapping) and "exists" in wanted:
        return bool(wanted["exists"]) is there
    if isinstance(found, list):
        return any(_fits(wanted, one, there) for one in found)
    if not isinstance(wanted, Mapping):
        return there and type(found) is type(wanted) and bool(found == wanted)
    ((name, argument),) = wanted.items()
    if name == "anything-but":
        refused = argument if isinstance(argument, list) else [argument]
        return there and not any(_fits(one, found, there) for one in refused)
    if name == "numeric":
        pairs = zip(argument[::2], argument[1::2], strict=True)
        return isinstance(found, (int, float)) and all(COMPARED[sign](found, bound) for sign, bound in pairs)
    if name in ("prefix", "suffix"):
        return isinstance(found, str) and (found.startswith if name == "prefix" else found.endswith)(argument)
    raise AssertionError(f"the operator {name} is not known here")


@pytest.mark.parametrize(("source", "example"), EVENTS)
def test_an_event_that_says_something_is_brought_and_no_other(source: Source, example: Example) -> None:
    brought = any(matches(pattern, example.body) for pattern in source.event_patterns)
    parsed = read(source, example.body, instant(example.received_at))

    assert brought == bool(example.expect or parsed.changes)


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"a": [1]}, {"a": 1}, True),
        ({"a": ["1"]}, {"a": 1}, False),
        ({"a": [1]}, {}, False),
        ({"a": [1]}, {"a": [2, 1]}, True),
        ({"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
        ({"a": [{"numeric": [">=", 4, "<", 5]}]}, {"a": 4.5}, True),
        ({"a": [{"numeric": [">=", 4, "<", 5]}]}, {"a": 5}, False),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": ["x"]}]}, {}, False),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xy"}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"b": 2, "c": 3}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"c": 3}, False),
    ],
)
def test_it_matches_as_eventbridge_does(pattern: Mapping[str, Any], event: Mapping[str, Any], expected: bool) -> None:
    assert matches(pattern, event) is expected
