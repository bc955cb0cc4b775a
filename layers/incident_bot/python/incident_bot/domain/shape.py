"""Frozen dataclasses to JSON values and back, by their type hints; no library, as imports weigh on the paging path."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import date, datetime, time
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from incident_bot.domain.clock import instant, rfc3339

T = TypeVar("T")
Loader = Callable[[Any], Any]
Dumper = Callable[[Any], Any]
PLAIN = frozenset({str, int, float, bool, type(None)})


def dump(value: Any) -> Any:
    """The JSON value of a dataclass, enum, moment or any nesting of them; None and empty fields are kept."""
    kind: Any = type(value)
    return _dumper(kind)(value)


@cache
def _dumper(kind: Any) -> Dumper:
    if kind in PLAIN:
        return lambda value: value
    if is_dataclass(kind):
        return _dataclass_dumper(tuple(f.name for f in fields(kind)))
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, datetime):
        return rfc3339
    if issubclass(kind, (date, time)):
        return lambda value: value.isoformat()
    if issubclass(kind, Mapping):
        return lambda value: {str(k): v if type(v) in PLAIN else dump(v) for k, v in value.items()}
    if issubclass(kind, (list, tuple, set, frozenset)):
        return lambda value: [v if type(v) in PLAIN else dump(v) for v in value]
    return lambda value: value


def _dataclass_dumper(names: tuple[str, ...]) -> Dumper:
    def dumped(value: Any) -> dict[str, Any]:
        entries = ((name, getattr(value, name)) for name in names)
        return {name: entry if type(entry) in PLAIN else dump(entry) for name, entry in entries}

    return dumped


def changed(value: T, **fields: Any) -> T:
    """The dataclass with those fields; itself where they say nothing new, as they mostly do not where alerts repeat."""
    for name, said in fields.items():
        if getattr(value, name) != said:
            return replace(value, **fields)  # type: ignore[type-var] # a dataclass, for which typing has no name
    return value


def load(shape: type[T], value: Any) -> T:
    """The value of that type from what `dump` made of it; unknown fields are ignored, so N reads what N+1 wrote."""
    hashable: Any = shape
    loaded: T = _loader(hashable)(value)
    return loaded


@cache
def _loader(shape: Any) -> Loader:
    origin, arguments = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        some = [a for a in arguments if a is not type(None)]
        if len(some) > 1:  # of JSON's own types, as in `str | int`: the value says which
            return lambda value: value
        inner = _loader(some[0])
        return lambda value: None if value is None else inner(value)
    if origin is Literal:
        return lambda value: value
    if origin is tuple:
        item = _loader(arguments[0])
        return lambda value: tuple(item(v) for v in value or ())
    if origin is not None and issubclass(origin, Mapping):
        entry = _loader(arguments[1])
        return lambda value: {k: entry(v) for k, v in (value or {}).items()}
    if is_dataclass(shape):
        return _dataclass_loader(shape)
    return _scalar_loader(shape)


def _scalar_loader(shape: Any) -> Loader:
    if shape is datetime:
        return instant
    if shape in (date, time):
        return shape.fromisoformat  # type: ignore[no-any-return]
    if isinstance(shape, type) and (issubclass(shape, Enum) or shape in (int, float, str)):
        return shape
    return lambda value: value


def _dataclass_loader(shape: Any) -> Loader:
    hints = get_type_hints(shape)
    plan = [
        (
            f.name,
            None if hints[f.name] is str else _loader(hints[f.name]),  # text is text already: most fields by far
            f.default is MISSING and f.default_factory is MISSING,
        )
        for f in fields(shape)
    ]

    def build(value: Mapping[str, Any]) -> Any:
        return shape(
            **{
                name: value[name] if loader is None else loader(value[name])
                for name, loader, needed in plan
                if needed or name in value
            }
        )

    return build
