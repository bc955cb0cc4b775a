"""The envelope of an EventBridge event, which every AWS source reads in the same way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, text

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
