"""Our own format, for scripts and tools that have none: docs/generic-alert.schema.json, signed as Standard Webhooks."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from incident_bot.authentication import StandardWebhooks
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import kind, links, moment, severity, shown, sized, strings, text
from incident_bot.sources import Example, Parsed, Source, read_each

KNOWN = frozenset(
    {
        "title",
        "status",
        "service",
        "severity",
        "resource",
        "key",
        "started_at",
        "occurred_at",
        "summary",
        "labels",
        "links",
    }
)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert, or several under `alerts`."""
    read = partial(_alert, received_at=received_at)
    if "alerts" not in body:
        return read_each([body], read)
    alerts = body["alerts"]
    if not isinstance(alerts, list):
        raise Unparseable(f"alerts is {kind(alerts)}, expected an array", field="alerts")
    return read_each(alerts, read)


def _alert(raw: Mapping[str, Any], *, received_at: datetime) -> Alert:
    sized(raw, KNOWN)
    title, status = text(raw, "title", required=True), _status(text(raw, "status", required=True))
    service, resource, key = text(raw, "service"), text(raw, "resource"), text(raw, "key")
    started_at, occurred_at = _times(raw, status, received_at)
    return Alert(
        source="generic",
        title=title,
        status=status,
        identity={"key": key} if key else {"title": title, "service": service, "resource": resource},
        occurred_at=occurred_at,
        started_at=started_at,
        severity=_severity(text(raw, "severity")),
        service=service,
        resource=resource,
        summary=text(raw, "summary"),
        labels=strings(raw, "labels"),
        links=links(strings(raw, "links")),
    )


def _status(word: str) -> Status:
    if word not in ("firing", "resolved"):
        raise Unparseable(f"status is neither firing nor resolved: {shown(word)!r}", field="status")
    return Status(word)


def _severity(word: str) -> Severity | None:
    found = severity(word)
    if word and found is None:
        raise Unparseable(f"severity is not one we know (sev1..sev5, critical, ...): {shown(word)!r}", field="severity")
    return found


def _times(raw: Mapping[str, Any], status: Status, received_at: datetime) -> tuple[datetime, datetime]:
    """When it started and when this state change happened: now if not said; a re-sent firing keeps its start."""
    started_at, occurred_at = moment(raw, "started_at", received_at), moment(raw, "occurred_at", received_at)
    if occurred_at is None:
        occurred_at = started_at if started_at and status is Status.FIRING else received_at
    started_at = started_at or occurred_at
    return started_at, max(occurred_at, started_at)


_QUEUE: Mapping[str, Any] = {
    "title": "Nightly invoices are late",
    "status": "firing",
    "service": "billing",
    "severity": "sev2",
    "started_at": "2026-01-15T09:58:00Z",
    "summary": "1,204 invoices wait since 02:00",
    "labels": {"environment": "production", "team": "finance"},
    "links": {"dashboard": "https://grafana.example.com/d/billing"},
}

SOURCE = Source(
    name="generic",
    reference="https://www.standardwebhooks.com",
    parse=parse,
    labels=("*",),
    authentication=StandardWebhooks(),
    examples=(
        Example(
            "one alert fires",
            _QUEUE,
            (
                {
                    "title": "Nightly invoices are late",
                    "status": "firing",
                    "severity": 2,
                    "service": "billing",
                    "identity": {"title": "Nightly invoices are late", "service": "billing", "resource": ""},
                    "occurred_at": "2026-01-15T09:58:00.000000Z",
                },
            ),
        ),
        Example(
            "it has resolved, and says no more than it must",
            {"title": "Nightly invoices are late", "status": "resolved", "service": "billing"},
            (
                {
                    "status": "resolved",
                    "identity": {"title": "Nightly invoices are late", "service": "billing", "resource": ""},
                    "occurred_at": "2026-01-15T10:05:00.000000Z",
                    "severity": None,
                },
            ),
        ),
        Example(
            "several at once, named by key, one without a title and one resolved before it began",
            {
                "alerts": [
                    {"title": "Disk 91 % full", "status": "firing", "key": "disk/db-1", "severity": "warning"},
                    {"status": "firing"},
                    {
                        "title": "Disk 74 % full",
                        "status": "resolved",
                        "key": "disk/db-1",
                        "started_at": "2026-01-15T10:00:00Z",
                        "occurred_at": "2026-01-15T09:00:00Z",
                        "room": 12,
                    },
                ]
            },
            (
                {"identity": {"key": "disk/db-1"}, "severity": 3},
                {"identity": {"key": "disk/db-1"}, "occurred_at": "2026-01-15T10:00:00.000000Z"},
            ),
            rejects=("title",),
        ),
    ),
)
