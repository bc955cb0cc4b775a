"""PagerDuty's Events API v2: whatever can page PagerDuty pages us once its host name and its routing key are ours.

An `acknowledge` event says that somebody took the alert on. Only a trigger carries a time, and not when it was sent but
when its fault was seen: so the events of a series are ordered by their arrival, as PagerDuty orders them.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unauthenticated, Unparseable
from incident_bot.payload import decode, links, mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source

ACTIONS = {"trigger": Status.FIRING, "acknowledge": Status.UNKNOWN, "resolve": Status.RESOLVED}
SEVERITIES = {
    "critical": Severity.SEV1,
    "error": Severity.SEV2,
    "warning": Severity.SEV3,
    "info": Severity.SEV5,
}
LONGEST_KEY = 255
FEW = 10  # links and images that are kept
DETAILS = 40  # custom details that become labels
FIELDS = ("source", "component", "group", "class")


class RoutingKey:
    """The routing key in the body, or in PagerDuty's header; each key may be that of one service.

    The secret holds keys separated by white space, each as it is or as `SERVICE:KEY`.
    """

    challenge = "RoutingKey"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> str:  # noqa: ARG002 - a key proves nothing about the body
        """Raise Unauthenticated unless the event carries one of the keys; the service that it is for, or nothing."""
        given = headers.get("x-routing-key") or _key_in(body)
        if not given:
            raise Unauthenticated("'routing_key' is missing or blank: one is needed")
        service, known = "", False
        for named, key in _keys(secrets):
            if hmac.compare_digest(key.encode(errors="replace"), given.encode(errors="replace")):
                service, known = named, True
        if not known:
            raise Unauthenticated("Invalid routing key")
        return service

    def sign(self, body: bytes, secret: str, now: datetime, message_id: str) -> dict[str, str]:  # noqa: ARG002 - as above
        """The header that carries the key, so that the body may stay as it is."""
        key = next((key for _, key in _keys([secret])), "")
        return {"content-type": "application/json", "x-routing-key": key}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of an event; of an acknowledgement, whose."""
    action = text(body, "event_action", required=True)
    if action not in ACTIONS:
        raise Unparseable(f"event_action is none of {', '.join(ACTIONS)}: {shown(action)!r}", field="event_action")
    payload = mapping(body, "payload", required=action == "trigger")
    key = dedup_key(body)
    if not key:
        raise Unparseable("dedup_key is missing", field="dedup_key")
    if action == "trigger":
        return Parsed((_triggered(body, payload, key, received_at),))
    alert = Alert(
        source="pagerduty",
        title=prose(payload, "summary") or key,
        status=ACTIONS[action],
        identity={"dedup_key": key},
        occurred_at=received_at,
        started_at=received_at,
        service=_service(payload),
        resource=prose(payload, "source"),
        labels=_labels(body, payload),
    )
    return Parsed((), acknowledged=(alert,)) if action == "acknowledge" else Parsed((alert,))


def dedup_key(body: Mapping[str, Any]) -> str:
    """The sender's key; for a trigger without one a digest of its payload, so that one sent twice is one alert."""
    key = text(body, "dedup_key")
    if len(key) > LONGEST_KEY:
        raise Unparseable(f"dedup_key is longer than {LONGEST_KEY} characters", field="dedup_key")
    if key or body.get("event_action") != "trigger":
        return key
    said = json.dumps(body.get("payload"), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _triggered(body: Mapping[str, Any], payload: Mapping[str, Any], key: str, received_at: datetime) -> Alert:
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name]:
            raise Unparseable(f"payload.{name} is missing", field=f"payload.{name}")
    severity = SEVERITIES.get(payload["severity"].lower())
    if severity is None:
        reason = f"payload.severity is none of {', '.join(SEVERITIES)}: {shown(payload['severity'])!r}"
        raise Unparseable(reason, field="payload.severity")
    return Alert(
        source="pagerduty",
        title=prose(payload, "summary"),
        status=Status.FIRING,
        identity={"dedup_key": key},
        occurred_at=received_at,
        started_at=_seen_at(payload, received_at),
        severity=severity,
        service=_service(payload),
        resource=prose(payload, "source"),
        summary=_told(payload),
        labels=_labels(body, payload),
        links=_links(body),
    )


def _seen_at(payload: Mapping[str, Any], received_at: datetime) -> datetime:
    """When the sender saw the fault; a time that cannot be read keeps nobody asleep."""
    try:
        return min(moment(payload, "timestamp", received_at) or received_at, received_at)
    except Unparseable:
        return received_at


def _service(payload: Mapping[str, Any]) -> str:
    details = payload.get("custom_details")
    return (prose(details, "service") if isinstance(details, Mapping) else "") or prose(payload, "component")


def _told(payload: Mapping[str, Any]) -> str:
    details = payload.get("custom_details")
    if isinstance(details, str):
        return prose(payload, "custom_details")
    found = details if isinstance(details, Mapping) else {}
    return next((prose(found, name) for name in ("description", "message", "firing") if prose(found, name)), "")


def _labels(body: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, str]:
    labels = {name: prose(payload, name) for name in FIELDS} | {"client": prose(body, "client")}
    return {name: value for name, value in labels.items() if value} | dict(_details(payload.get("custom_details")))


def _details(details: object) -> Iterator[tuple[str, str]]:
    """What of the custom details is short and flat."""
    for name, value in list(details.items())[:DETAILS] if isinstance(details, Mapping) else ():
        if isinstance(value, (str, int, float)) and len(name) <= 100:
            said = value if isinstance(value, str) else json.dumps(value)
            yield f"details.{name}", prose({"": said}, "")


def _links(body: Mapping[str, Any]) -> dict[str, str]:
    found = {"client": prose(body, "client_url")}
    for link in _mappings(body.get("links")):
        found[prose(link, "text")[:80] or "link"] = prose(link, "href")
    for image in _mappings(body.get("images")):
        found[prose(image, "alt")[:80] or "image"] = prose(image, "src")
    return links(found)


def _mappings(values: object) -> list[Mapping[str, Any]]:
    return [v for v in (values if isinstance(values, list) else ())[:FEW] if isinstance(v, Mapping)]


def _keys(secrets: Sequence[str]) -> Iterator[tuple[str, str]]:
    for entry in " ".join(secrets).split():
        service, _, key = entry.rpartition(":")
        if key:
            yield service, key


def _key_in(body: bytes) -> str:
    try:
        document = decode(body)
    except Unparseable as unread:
        raise Unauthenticated(unread.reason) from None
    found = document.get("routing_key") if isinstance(document, Mapping) else None
    return found if isinstance(found, str) else ""


_DISK: Mapping[str, Any] = {
    "routing_key": "0123456789abcdef0123456789abcdef",
    "event_action": "trigger",
    "dedup_key": "db-7/disk",
    "client": "Shop monitoring",
    "client_url": "https://monitoring.example.com/alerts/7",
    "links": [{"href": "https://runbooks.example.com/disk", "text": "runbook"}],
    "images": [{"src": "https://graphs.example.com/disk.png", "alt": "disk"}],
    "payload": {
        "summary": "Disk of db-7 is 97 % full",
        "source": "db-7.example.com",
        "severity": "critical",
        "timestamp": "2026-01-15T10:00:02.315+0000",
        "component": "mysql",
        "group": "orders",
        "class": "disk",
        "custom_details": {"free": "3 %", "inodes": 1204, "service": "orders", "history": [1, 2]},
    },
}
_BARE: Mapping[str, Any] = {"routing_key": _DISK["routing_key"], "dedup_key": "db-7/disk"}

SOURCE = Source(
    name="pagerduty",
    reference="https://developer.pagerduty.com/docs/events-api-v2/trigger-events/",
    parse=parse,
    labels=(*FIELDS, "client", "details.*"),
    authentication=RoutingKey(),
    media_types=("*",),  # PagerDuty asks for none, so its senders name any
    examples=(
        Example(
            "a trigger with everything",
            _DISK,
            (
                {
                    "title": "Disk of db-7 is 97 % full",
                    "status": "firing",
                    "severity": 1,
                    "service": "orders",
                    "resource": "db-7.example.com",
                    "identity": {"dedup_key": "db-7/disk"},
                    "started_at": "2026-01-15T10:00:02.315000Z",
                    "occurred_at": "2026-01-15T10:05:00.000000Z",
                    "labels": {"component": "mysql", "class": "disk", "details.inodes": "1204"},
                    "links": {
                        "client": "https://monitoring.example.com/alerts/7",
                        "runbook": "https://runbooks.example.com/disk",
                        "disk": "https://graphs.example.com/disk.png",
                    },
                },
            ),
        ),
        Example(
            "it resolves, with nothing but its key",
            {**_BARE, "event_action": "resolve"},
            ({"title": "db-7/disk", "status": "resolved", "identity": {"dedup_key": "db-7/disk"}},),
        ),
        Example("somebody takes it on", {**_BARE, "event_action": "acknowledge"}, ()),
        Example(
            "a trigger without a key, of a sender whose clock nobody can read",
            {
                "event_action": "trigger",
                "payload": {
                    "summary": "Backup failed",
                    "source": "cron",
                    "severity": "info",
                    "timestamp": "yesterday",
                    "custom_details": "exit status 1",
                },
            },
            (
                {
                    "title": "Backup failed",
                    "severity": 5,
                    "service": "",
                    "summary": "exit status 1",
                    "started_at": "2026-01-15T10:05:00.000000Z",
                },
            ),
        ),
    ),
)
