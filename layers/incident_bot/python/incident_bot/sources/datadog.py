"""Datadog monitors: its Webhooks integration, whose payload the team writes; this one is read to the full.

    {"alert_id": "$ALERT_ID", "alert_scope": "$ALERT_SCOPE", "alert_transition": "$ALERT_TRANSITION",
     "alert_title": "$ALERT_TITLE", "alert_priority": "$ALERT_PRIORITY", "alert_type": "$ALERT_TYPE",
     "alert_metric": "$ALERT_METRIC", "title": "$EVENT_TITLE", "body": "$TEXT_ONLY_MSG", "date": "$DATE",
     "hostname": "$HOSTNAME", "tags": "$TAGS", "link": "$LINK", "snapshot": "$SNAPSHOT", "org": {"id": "$ORG_ID"}}

The secret goes into the custom headers: {"Authorization": "Bearer <secret>"}. What Datadog sends where no payload was
written is read too, but it names neither monitor nor scope: its title stands for both.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, severity, shown
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled, milliseconds
from incident_bot.sources._tags import tags_of

BRACKETS = re.compile(r"^\s*\[([^\]]*)\]\s*")
GROUP = re.compile(r" on \{[^}]*\}$")  # of a title: which group of the monitor it is, as the scope says too
FIRING = ("triggered", "re-triggered", "renotify", "warn", "re-warn", "no data", "re-no data")
RECOVERED = "recovered"
WARNS = ("warn", "re-warn", "warning")
COLOURS = {"error": Status.FIRING, "warning": Status.FIRING, "success": Status.RESOLVED}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of a notification; Unparseable where it says neither that something fires nor that it is over."""
    event_title, marks = _marks(_said(body, "title"))
    transition, status = _transition(body, marks)
    alert_title, more_marks = _marks(_said(body, "alert_title"))
    title = alert_title or event_title or "Monitor without a title"
    test = "test" in (*marks, *more_marks)
    tags = tags_of(_said(body, "tags"))
    at = milliseconds(body, "date", received_at) or milliseconds(body, "last_updated", received_at) or received_at
    alert = Alert(
        source="datadog",
        title=f"Test: {title}" if test else title,
        status=status,
        identity=_identity(body, title),
        occurred_at=at,
        started_at=at,
        severity=Severity.SEV5 if test else _severity(body, transition),
        service=tags.get("service", ""),
        resource=tags.get("arn") or _said(body, "hostname") or tags.get("host", ""),
        summary=_said(body, "body") or _said(body, "alert_status"),
        labels=tags | _labels(body, transition, test=test),
        links=links({"source": _said(body, "link"), "image": _said(body, "snapshot")}),
    )
    return Parsed((alert,))


def _said(body: Mapping[str, Any], name: str) -> str:
    """The value of a variable, as text; nothing where Datadog had none and left the variable's own name."""
    found = labelled(value=body.get(name)).get("value", "")
    return "" if found.startswith("$") or found == "null" else found


def _marks(title: str) -> tuple[str, tuple[str, ...]]:
    """The title without what Datadog puts before it in brackets (`[P2] [Triggered on {host:a}]`), and that.

    Nor is there a group at its end: all groups of a monitor have one title.
    """
    marks: list[str] = []
    while found := BRACKETS.match(title):
        marks.append(found.group(1).partition(" on {")[0].strip().lower())
        title = title[found.end() :]
    return GROUP.sub("", title), tuple(marks)


def _transition(body: Mapping[str, Any], marks: tuple[str, ...]) -> tuple[str, Status]:
    """What happened in Datadog's word: by its variable, by the title's marks, or by the colour of the event."""
    word = _said(body, "alert_transition").lower()
    for said in (word, *marks):
        status = _status(said)
        if status:
            return said, status
    colour = _said(body, "alert_type").lower()
    if colour not in COLOURS:
        raise Unparseable(f"alert_transition says nothing that is known: {shown(word)!r}", field="alert_transition")
    return word or colour, COLOURS[colour]


def _status(transition: str) -> Status | None:
    if transition in FIRING:
        return Status.FIRING
    return Status.RESOLVED if RECOVERED in transition else None


def _severity(body: Mapping[str, Any], transition: str) -> Severity | None:
    """The monitor's priority, while it only warns no worse than sev3."""
    priority = severity(_said(body, "alert_priority"))
    if transition in WARNS:
        return max(priority or Severity.SEV3, Severity.SEV3)
    return priority


def _identity(body: Mapping[str, Any], title: str) -> dict[str, str]:
    """The monitor and the group in it that fires, whatever the order of the group's tags."""
    scope = ", ".join(sorted(part.strip() for part in _said(body, "alert_scope").split(",") if part.strip()))
    org = labelled(org=mapping(body, "org").get("id"))
    monitor = _said(body, "alert_id")
    return org | ({"monitor": monitor, "scope": scope} if monitor else {"title": title, "scope": scope})


def _labels(body: Mapping[str, Any], transition: str, *, test: bool) -> dict[str, str]:
    return labelled(
        monitor=_said(body, "alert_id"),
        scope=_said(body, "alert_scope"),
        transition=transition,
        metric=_said(body, "alert_metric"),
        test="true" if test else None,
    )


_TRIGGERED: Mapping[str, Any] = {
    "alert_id": "148275309",
    "alert_scope": "service:checkout,host:i-0a1b2c3d",
    "alert_transition": "Triggered",
    "alert_title": "Checkout error rate on {service:checkout,host:i-0a1b2c3d}",
    "alert_priority": "P2",
    "alert_type": "error",
    "alert_metric": "trace.http.request.errors",
    "title": "[P2] [Triggered on {service:checkout,host:i-0a1b2c3d}] Checkout error rate",
    "body": "4.2 % of requests fail",
    "date": "1768471200250",
    "hostname": "i-0a1b2c3d",
    "tags": "monitor,service:checkout,env:production,host:i-0a1b2c3d",
    "link": "https://app.datadoghq.eu/monitors/148275309",
    "snapshot": "",
    "org": {"id": "4711"},
}
_RECOVERED = {
    **_TRIGGERED,
    "alert_transition": "Recovered",
    "alert_scope": "host:i-0a1b2c3d, service:checkout",
    "date": 1768471440000,
}
_DEFAULT: Mapping[str, Any] = {
    "id": "7716548234011234567",
    "title": "[Warn on {host:db-1}] Disk is filling up",
    "body": "87 % of /data",
    "event_type": "metric_alert_monitor",
    "date": "1768471200000",
    "last_updated": "1768471200000",
    "org": {"id": "4711", "name": "shop"},
}

SOURCE = Source(
    name="datadog",
    reference="https://docs.datadoghq.com/integrations/webhooks/",
    parse=parse,
    labels=("*",),
    authentication=BearerOrBasic(),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a group of a monitor triggers",
            _TRIGGERED,
            (
                {
                    "title": "Checkout error rate",
                    "status": "firing",
                    "severity": 2,
                    "service": "checkout",
                    "resource": "i-0a1b2c3d",
                    "identity": {"org": "4711", "monitor": "148275309", "scope": "host:i-0a1b2c3d, service:checkout"},
                    "occurred_at": "2026-01-15T10:00:00.250000Z",
                    "labels": {"env": "production", "transition": "triggered"},
                },
            ),
        ),
        Example(
            "it has recovered, its scope in another order and its date a number",
            _RECOVERED,
            (
                {
                    "status": "resolved",
                    "identity": {"org": "4711", "monitor": "148275309", "scope": "host:i-0a1b2c3d, service:checkout"},
                    "occurred_at": "2026-01-15T10:04:00.000000Z",
                },
            ),
        ),
        Example(
            "it warns, and several variables had no value",
            {**_TRIGGERED, "alert_transition": "Re-Warn", "alert_scope": "$ALERT_SCOPE", "tags": "", "org": None},
            ({"status": "firing", "severity": 3, "service": "", "identity": {"monitor": "148275309", "scope": ""}},),
        ),
        Example(
            "a transition that is new to us, told by the colour of the event",
            {**_TRIGGERED, "alert_transition": "Cooled", "title": "Checkout error rate", "alert_type": "success"},
            ({"status": "resolved", "labels": {"transition": "cooled"}},),
        ),
        Example(
            "a monitor without data",
            {**_TRIGGERED, "alert_transition": "No Data", "alert_priority": "$ALERT_PRIORITY"},
            ({"status": "firing", "severity": None, "labels": {"transition": "no data"}},),
        ),
        Example(
            "the payload that Datadog sends where none was written",
            _DEFAULT,
            (
                {
                    "title": "Disk is filling up",
                    "severity": 3,
                    "identity": {"org": "4711", "title": "Disk is filling up", "scope": ""},
                },
            ),
        ),
        Example(
            "the test of a monitor's notifications",
            {**_TRIGGERED, "title": "[TEST] [Triggered] Checkout error rate"},
            ({"severity": 5, "labels": {"test": "true"}},),
        ),
    ),
)
