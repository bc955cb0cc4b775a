"""Validates entries one by one against the domain's frozen dataclasses, so that one bad entry hides no other."""

import dataclasses
import json
from collections.abc import Hashable, Iterator
from datetime import date, datetime, time
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from incident_bot.configuration.problem import Flaw, Path
from incident_bot.domain.nearest import nearest

T = TypeVar("T")
NO_FIELD = "there is no such field"


def entry(shape: type[T], raw: Any, path: Path, flaws: list[Flaw]) -> T | None:
    """The entry as that type, or None, with its flaws appended. Nothing is coerced: "false" is no boolean."""
    if dataclasses.is_dataclass(shape) and isinstance(raw, dict):
        known = [f.name for f in dataclasses.fields(shape)]
        strangers = [name for name in raw if name not in known]
        flaws += [Flaw((*path, name), NO_FIELD, nearest(name, known)) for name in strangers]
        raw = {name: value for name, value in raw.items() if name in known}  # the rest can still be checked
    try:
        loaded: T = _adapter(cast(Hashable, shape)).validate_json(json.dumps([raw], default=_plain), strict=True)[0]
        return loaded
    except ValidationError as wrong:
        found = [_flaw(shape, raw, error, path) for error in wrong.errors()]
        flaws += {(flaw.path, flaw.reason): flaw for flaw in found}.values()
    except TypeError as wrong:
        flaws.append(Flaw(path, str(wrong)))
    return None


def named(shape: type[T], raw: Any, path: Path, flaws: list[Flaw], *, key: str = "name") -> dict[str, T]:
    """The valid entries of a mapping whose keys are their names; `key` is the field that takes the name, if any."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        flaws.append(Flaw(path, "must be a mapping of names"))
        return {}
    return dict(_named(shape, raw, path, flaws, key))


def _named(shape: type[T], raw: dict[str, Any], path: Path, flaws: list[Flaw], key: str) -> Iterator[tuple[str, T]]:
    for name, body in raw.items():
        if not isinstance(body, dict):
            flaws.append(Flaw((*path, name), "must be a mapping"))
        elif key in body:
            flaws.append(Flaw((*path, name, key), f"the {key} is the key above; leave this out"))
        elif (loaded := entry(shape, {**({key: name} if key else {}), **body}, (*path, name), flaws)) is not None:
            yield name, loaded


def listed(shape: type[T], raw: Any, path: Path, flaws: list[Flaw]) -> list[tuple[int, T]]:
    """The valid entries of a list in their order, each with its index in the file."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        flaws.append(Flaw(path, "must be a list"))
        return []
    loaded = ((index, entry(shape, body, (*path, index), flaws)) for index, body in enumerate(raw))
    return [(index, body) for index, body in loaded if body is not None]


@cache
def _adapter(shape: Hashable) -> TypeAdapter[list[Any]]:
    # A dataclass takes no configuration from outside; one inside a list inherits the list's.
    return TypeAdapter(list[shape], config=ConfigDict(extra="forbid", allow_inf_nan=False))  # type: ignore[valid-type]


def _plain(value: Any) -> str:
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} values have no place here")


def _flaw(shape: type[Any], raw: Any, error: ErrorDetails, path: Path) -> Flaw:
    inside = _existing(raw, error["loc"][1:])
    place = (*path, *inside)
    if error["type"] == "unexpected_keyword_argument":
        return Flaw(place, NO_FIELD, nearest(str(inside[-1]), _fields(shape, inside[:-1])))
    if error["type"] in ("missing", "missing_argument"):
        return Flaw((*place, error["loc"][-1]), "is missing")
    given = json.dumps(error["input"], default=str)
    reason = f"{error['msg'][:1].lower()}{error['msg'][1:]}, not {given if len(given) < 60 else 'this'}"
    return Flaw(place, reason, nearest(str(error["input"]), str(error.get("ctx", {}).get("expected", "")).split("'")))


def _existing(raw: Any, inside: Path) -> Path:
    """The part of an error's path that is in the file: pydantic adds the branch of a union that it tried."""
    for depth, part in enumerate(inside):
        try:
            raw = raw[part]
        except (LookupError, TypeError):
            return inside[:depth]
    return inside


def _fields(shape: Any, inside: Path) -> list[str]:
    """The field names of the dataclass that a path inside `shape` leads to."""
    for part in inside:
        shape = get_type_hints(shape)[str(part)] if dataclasses.is_dataclass(shape) else _element(shape)
        shape = _present(shape)
    return [f.name for f in dataclasses.fields(shape)] if dataclasses.is_dataclass(shape) else []


def _present(shape: Any) -> Any:
    """The type without its None."""
    if get_origin(shape) in (Union, UnionType):
        return next(a for a in get_args(shape) if a is not type(None))
    return shape


def _element(shape: Any) -> Any:
    """What a tuple or a mapping holds."""
    return get_args(shape)[0 if get_origin(shape) is tuple else 1]
