"""The envelope of an EventBridge event, which every AWS source reads in the same way."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from incident_bot.domain.errors import Unparseable
from incident_bot.payload import DIGITS, EARLIEST, kind, mapping, moment, plausible, text

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}


@dataclass(frozen=True, slots=True)
class Event:
    """What the envelope says: whose account and region, when the service sent it (UTC), about which resources.

    https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
    """

    account: str
    region: str
    at: datetime
    kind: str  # the detail-type
    resources: tuple[str, ...]
    detail: Mapping[str, Any]

    @property
    def partition(self) -> str:
        """The partition of its region: `aws`, `aws-cn`, ..."""
        return next((name for prefix, name in PARTITIONS.items() if self.region.startswith(prefix)), "aws")

    @property
    def resource(self) -> str:
        """The first ARN among its resources, empty where there is none."""
        return next((resource for resource in self.resources if resource.startswith("arn:")), "")

    @property
    def place(self) -> dict[str, str]:
        """The account and region: a part of every identity that no ARN names, and labels of every alert."""
        return {"account": self.account, "region": self.region}


def opened(body: Mapping[str, Any], received_at: datetime) -> Event:
    """The event; Unparseable where the envelope has no account, region, time or detail."""
    at = moment(body, "time", received_at)
    if at is None:
        raise Unparseable("time is missing", field="time")
    resources = body.get("resources")
    return Event(
        account=text(body, "account", required=True),
        region=text(body, "region", required=True),
        at=at,
        kind=text(body, "detail-type"),
        resources=tuple(r for r in resources if isinstance(r, str)) if isinstance(resources, list) else (),
        detail=mapping(body, "detail", required=True),
    )


def recognises(source: str, *kinds: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an envelope is an event of that AWS service with one of those detail-types."""
    return lambda envelope: envelope.get("source") == source and envelope.get("detail-type") in kinds


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


def sent(source: str, kind: str, detail: Mapping[str, Any], *resources: str, **changes: Any) -> Mapping[str, Any]:
    """An event as EventBridge would deliver it, for the examples."""
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": kind,
        "source": source,
        "account": "111122223333",
        "time": "2026-01-15T10:00:03Z",
        "region": "eu-central-1",
        "resources": list(resources),
        "detail": detail,
        **changes,
    }
