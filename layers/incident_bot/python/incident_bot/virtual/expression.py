"""JSONata in a state machine: `{% ... %}` anywhere in an argument, an output or a condition."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jsonata import jsonata  # type: ignore[import-untyped]

PATH = re.compile(r"\$states(\.\w+)+")
IS = re.compile(r"(\$states(?:\.\w+)+) = '(\w*)'")
OPEN, CLOSE = "{%", "%}"


class QueryFailed(Exception):
    """An expression is wrong or yields nothing: Step Functions fails the state with States.QueryEvaluationError."""


def evaluated(template: Any, states: Mapping[str, Any]) -> Any:
    """The template with every expression in it replaced by its value; `states` is what they know as `$states`."""
    if isinstance(template, str) and template.startswith(OPEN) and template.endswith(CLOSE):
        return _value(template[len(OPEN) : -len(CLOSE)].strip(), states)
    if isinstance(template, Mapping):
        return {name: evaluated(part, states) for name, part in template.items()}
    if isinstance(template, list):
        return [evaluated(part, states) for part in template]
    return template


def _value(expression: str, states: Mapping[str, Any]) -> Any:
    if PATH.fullmatch(expression):
        found = _followed(expression.split(".")[1:], states)
        if found is not None:
            return found
    if (is_ := IS.fullmatch(expression)) and (found := _followed(is_[1].split(".")[1:], states)) is not None:
        return found == is_[2]
    try:
        value = _compiled(expression).evaluate(None, {"states": states})
    except Exception as error:
        raise QueryFailed(f"{expression}: {error}") from error
    if value is None:
        raise QueryFailed(f"{expression}: yields nothing")
    return value


def _followed(names: Sequence[str], value: Any) -> Any:
    """A plain path through objects, which is in most expressions, without the interpreter; None elsewhere."""
    for name in names:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value if isinstance(value, (str, int, Mapping)) else None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    compiled = jsonata.Jsonata(expression)
    compiled.register_lambda("parse", json.loads)  # Step Functions' own; the rest of the language is JSONata's
    return compiled
