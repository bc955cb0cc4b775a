"""Fields as many vendors write them: times in milliseconds or spelled out, numbers, lists of objects, loose labels."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from incident_bot.domain.errors import Unparseable
from incident_bot.payload import DIGITS, EARLIEST, kind, plausible


def milliseconds(value: Mapping[str, Any], name: str, received_at: datetime, *, path: str = "") -> datetime | None:
    """The time under that name in milliseconds since 1970 (digits too), None where missing; refused as by `moment`."""
    found, path = value.get(name), f"{path}{name}"
    if found is None:
        return None
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= DIGITS:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise Unparseable(f"{path} is {kind(found)}, expected milliseconds", field=path)
    try:
        at = datetime.fromtimestamp(found / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unparseable(f"{path} is no time in milliseconds", field=path) from None
    return plausible(at, path, received_at)


def spelled(value: Mapping[str, Any], name: str, *forms: str) -> datetime | None:
    """The time under that name where it is written in one of those `strptime` forms, always UTC; None otherwise.

    Some services spell times as their console does, and not always alike: such a time is worth no alert.
    """
    found = value.get(name)
    if not isinstance(found, str) or len(found) > 40:
        return None
    for form in forms:
        with suppress(ValueError):
            at = datetime.strptime(found, form).replace(tzinfo=UTC)
            return at if at >= EARLIEST else None
    return None


def number(value: Mapping[str, Any], name: str) -> float | None:
    """The number under that name; None where there is none, or another kind of value."""
    found = value.get(name)
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def first(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The first object in the array under that name, empty where there is none."""
    found = value.get(name)
    return next((one for one in found if isinstance(one, Mapping)), {}) if isinstance(found, list) else {}


def labelled(**values: object) -> dict[str, str]:
    """Labels of those values that say anything: strings cut to 500 characters, numbers and booleans as JSON writes."""
    found = {name: _label(value) for name, value in values.items()}
    return {name: label for name, label in found.items() if label}


def _label(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return (value if len(value) <= 500 else f"{value[:499]}\u2026") if isinstance(value, str) else ""
