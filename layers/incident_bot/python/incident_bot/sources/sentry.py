"""Sentry: what an internal integration sends of issue alerts, metric alerts and the issues themselves.

The integration's client secret signs the body. An issue alert fires for its issue and never resolves by itself: with
the integration also subscribed to `issue`, resolving or archiving the issue in Sentry ends it; otherwise it ends after
a long silence. A metric alert resolves by itself. Other news of an issue (created, assigned, unresolved) is no alert:
the team's alert rules say what is one. Sentry waits one second for the answer.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from incident_bot.authentication import HeaderSignature
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, moment, plausible, prose, severity, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled

PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")
TAGS = ("environment", "service", "server_name", "release")
OVER = ("resolved", "archived", "ignored")
METRIC = {"critical": Status.FIRING, "warning": Status.FIRING, "resolved": Status.RESOLVED}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of a delivery, none where it tells something else."""
    action, data = text(body, "action", required=True), mapping(body, "data", required=True)
    if "metric_alert" in data:
        return Parsed((_of_metric(action, data, received_at),))
    if "event" in data and action == "triggered":
        return Parsed((_of_event(data, received_at),))
    if "issue" in data and action in OVER:
        return Parsed((_of_issue(action, mapping(data, "issue"), received_at),))
    return Parsed((), notes=(f"no alert: {shown(action)} of {shown(', '.join(data) or 'nothing')}",))


def _of_event(data: Mapping[str, Any], received_at: datetime) -> Alert:
    """The issue whose event made an alert rule fire; any rule, as the issue is one."""
    event = mapping(data, "event")
    tags = _tags(event.get("tags"))
    found = PROJECT.search(text(event, "url"))
    project, level, culprit = found.group(1) if found else "", text(event, "level"), prose(event, "culprit")
    rule = prose(data, "triggered_rule")
    at = _received(event, received_at)
    return Alert(
        source="sentry",
        title=prose(event, "title") or culprit or "Issue without a title",
        status=Status.FIRING,
        identity={"issue": _id(event, "issue_id", "data.event.")},
        occurred_at=at,
        started_at=at,
        severity=_severity(level),
        service=tags.get("service") or project,
        summary=" ".join(part for part in (culprit and f"in {culprit}", rule and f"(rule {rule})") if part),
        labels=tags | labelled(project=project, level=level, rule=rule, platform=prose(event, "platform")),
        links=links({"source": text(event, "web_url")}),
    )


def _of_issue(action: str, issue: Mapping[str, Any], received_at: datetime) -> Alert:
    """The end of an issue, by whoever resolved or archived it; Sentry does not say when, so it is now."""
    project = prose(mapping(issue, "project"), "slug")
    return Alert(
        source="sentry",
        title=prose(issue, "title") or "Issue without a title",
        status=Status.RESOLVED,
        identity={"issue": _id(issue, "id", "data.issue.")},
        occurred_at=received_at,
        started_at=received_at,
        severity=_severity(text(issue, "level")),
        service=project,
        summary=f"{prose(issue, 'shortId')} was {action} in Sentry".lstrip(),
        labels=labelled(project=project, level=prose(issue, "level"), platform=prose(issue, "platform")),
        links=links({"source": text(issue, "web_url") or text(issue, "permalink")}),
    )


def _of_metric(action: str, data: Mapping[str, Any], received_at: datetime) -> Alert:
    """The alert rule of a metric: its incident's id would be a new one each time."""
    if action not in METRIC:
        raise Unparseable(f"action is none of {', '.join(METRIC)}: {shown(action)!r}", field="action")
    incident = mapping(data, "metric_alert")
    rule = mapping(incident, "alert_rule")
    started_at = moment(incident, "date_started", received_at) or received_at
    ended_at = max(moment(incident, "date_closed", received_at) or received_at, started_at)
    projects = incident.get("projects")
    names = [p for p in projects if isinstance(p, str)] if isinstance(projects, list) else []
    project = names[0] if len(names) == 1 else ""
    return Alert(
        source="sentry",
        title=prose(rule, "name") or prose(data, "description_title") or "Metric alert without a name",
        status=METRIC[action],
        identity={"rule": _id(rule, "id", "data.metric_alert.alert_rule.")},
        occurred_at=started_at if action != "resolved" else ended_at,
        started_at=started_at,
        severity=severity(action),
        service=project,
        summary=prose(data, "description_text"),
        labels=labelled(project=project, environment=rule.get("environment"), rule=rule.get("name"), level=action),
        links=links({"source": text(data, "web_url")}),
    )


def _id(value: Mapping[str, Any], name: str, path: str) -> str:
    """An id, which Sentry writes as a string or as a number."""
    found = labelled(id=value.get(name)).get("id")
    if not found:
        raise Unparseable(f"{path}{name} is missing", field=f"{path}{name}")
    return found


def _received(event: Mapping[str, Any], received_at: datetime) -> datetime:
    """When Sentry took the event in (seconds since 1970); the time inside it is by the clock of a stranger's device."""
    found = event.get("received")
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return moment(event, "datetime", received_at) or received_at
    try:
        at = datetime.fromtimestamp(found, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unparseable("data.event.received is no time in seconds", field="data.event.received") from None
    return plausible(at, "data.event.received", received_at)


def _severity(level: str) -> Severity | None:
    """Nothing where it is `error`: that is what Sentry calls any uncaught exception, however harmless."""
    return None if level == "error" else severity(level)


def _tags(found: object) -> dict[str, str]:
    """Those that say where, from a list of pairs; others may hold what a user typed."""
    pairs = found if isinstance(found, list) else []
    known = {pair[0]: pair[1] for pair in pairs if isinstance(pair, list) and len(pair) == 2 and pair[0] in TAGS}
    return labelled(**known)


_EVENT: Mapping[str, Any] = {
    "event_id": "6e1f0f9a3c5b4c0f8f4f7b1c2d3e4f50",
    "issue_id": "4801234567",
    "issue_url": "https://sentry.io/api/0/organizations/shop/issues/4801234567/",
    "url": "https://sentry.io/api/0/projects/shop/checkout/events/6e1f0f9a3c5b4c0f8f4f7b1c2d3e4f50/",
    "web_url": "https://shop.sentry.io/issues/4801234567/events/6e1f0f9a3c5b4c0f8f4f7b1c2d3e4f50/",
    "title": "PaymentRefused: the acquirer answered 502",
    "culprit": "checkout.pay in charge",
    "level": "error",
    "platform": "python",
    "project": 42,
    "datetime": "2026-01-15T09:59:59.250000Z",
    "received": 1768471201.5,
    "tags": [["environment", "production"], ["user", "ip:192.0.2.7"], ["level", "error"], "odd"],
}
_ISSUE_ALERT: Mapping[str, Any] = {
    "action": "triggered",
    "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
    "data": {"event": _EVENT, "triggered_rule": "New payment errors"},
    "installation": {"uuid": "2f1d7a52-4a5e-4a61-9d5f-0c8f6f1f9b11"},
}
_ISSUE: Mapping[str, Any] = {
    "id": "4801234567",
    "shortId": "CHECKOUT-7",
    "title": "PaymentRefused: the acquirer answered 502",
    "level": "error",
    "status": "resolved",
    "project": {"id": "42", "slug": "checkout", "name": "checkout"},
    "web_url": "https://shop.sentry.io/issues/4801234567/",
}
_METRIC: Mapping[str, Any] = {
    "id": "9001",
    "identifier": "12",
    "organization_id": "5",
    "date_started": "2026-01-15T10:00:00Z",
    "date_closed": None,
    "projects": ["checkout"],
    "title": "Brave Marmot",
    "alert_rule": {"id": "77", "name": "Too many payment errors", "environment": "production", "aggregate": "count()"},
}


def _of(data: Mapping[str, Any], action: str) -> Mapping[str, Any]:
    return {**_ISSUE_ALERT, "action": action, "data": data}


def _metric(action: str, **changes: Any) -> Mapping[str, Any]:
    said = {"description_text": "120 events in the last 10 minutes", "web_url": "https://shop.sentry.io/alerts/12/"}
    return _of({**said, "metric_alert": {**_METRIC, **changes}}, action)


SOURCE = Source(
    name="sentry",
    reference="https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
    parse=parse,
    labels=(*TAGS, "project", "level", "rule", "platform"),
    authentication=HeaderSignature("Sentry-Hook-Signature"),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "an issue alert",
            _ISSUE_ALERT,
            (
                {
                    "title": "PaymentRefused: the acquirer answered 502",
                    "status": "firing",
                    "severity": None,
                    "service": "checkout",
                    "identity": {"issue": "4801234567"},
                    "occurred_at": "2026-01-15T10:00:01.500000Z",
                    "summary": "in checkout.pay in charge (rule New payment errors)",
                    "labels": {"environment": "production", "project": "checkout"},
                },
            ),
        ),
        Example(
            "its issue is resolved in Sentry",
            _of({"issue": _ISSUE}, "resolved"),
            (
                {
                    "status": "resolved",
                    "identity": {"issue": "4801234567"},
                    "summary": "CHECKOUT-7 was resolved in Sentry",
                },
            ),
        ),
        Example("an issue is only assigned", _of({"issue": _ISSUE}, "assigned"), ()),
        Example(
            "a metric alert",
            _metric("critical"),
            (
                {
                    "title": "Too many payment errors",
                    "severity": 1,
                    "identity": {"rule": "77"},
                    "occurred_at": "2026-01-15T10:00:00.000000Z",
                    "labels": {"environment": "production", "level": "critical"},
                },
            ),
        ),
        Example(
            "the same has resolved, its rule's id a number and its environment any",
            _metric("resolved", date_closed="2026-01-15T10:04:00Z", alert_rule={"id": 77, "environment": None}),
            ({"status": "resolved", "identity": {"rule": "77"}, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "an event with little more than its issue",
            _of({"event": {"issue_id": 5, "received": None, "tags": None, "level": "fatal"}}, "triggered"),
            ({"identity": {"issue": "5"}, "severity": 1, "occurred_at": "2026-01-15T10:05:00.000000Z"},),
        ),
    ),
)
