"""Prometheus Alertmanager: its webhook, version 4; every alert of a group is an alert of its own."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import bounded, kind, links, moment, severity, shown, sized, strings, text
from incident_bot.sources import Example, Parsed, Source, read_each

NOT_ENDED = "0001-01-01T00:00:00Z"  # Go's zero time: how Alertmanager says that an alert has not ended
CHANGES_WITH_THE_WEATHER = frozenset({"severity", "priority"})  # raising them must not make another series of it
KNOWN = frozenset({"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"})
SERVICE_LABELS = ("service", "app", "job")
RESOURCE_LABELS = ("arn", "resource", "instance", "pod")
SUMMARIES = ("summary", "description", "message")


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The alerts of one notification; Unparseable where it is not a webhook of version 4."""
    if body.get("version") != "4":
        raise Unparseable('version is not "4", the only one of the Alertmanager webhook', field="version")
    alerts = body.get("alerts")
    if not isinstance(alerts, list):
        raise Unparseable(f"alerts is {kind(alerts)}, expected an array", field="alerts")
    group_status, instance = text(body, "status"), text(body, "externalURL")
    parsed = read_each(alerts, partial(_alert, group_status=group_status, instance=instance, received_at=received_at))
    return _with_what_was_left_out(parsed, body.get("truncatedAlerts"))


def _alert(raw: Mapping[str, Any], *, group_status: str, instance: str, received_at: datetime) -> Alert:
    sized(raw, KNOWN)
    labels, annotations = strings(raw, "labels"), strings(raw, "annotations")
    if not labels:
        raise Unparseable("labels is empty, and they alone name the series", field="labels")
    status = _status(text(raw, "status") or group_status)
    started_at = moment(raw, "startsAt", received_at)
    if started_at is None:
        raise Unparseable("startsAt is missing", field="startsAt")
    summary = _first(annotations, SUMMARIES)
    return Alert(
        source="alertmanager",
        title=labels.get("alertname") or summary or "Alert without a name",
        status=status,
        identity={name: value for name, value in labels.items() if name not in CHANGES_WITH_THE_WEATHER},
        occurred_at=started_at if status is Status.FIRING else _ended_at(raw, started_at, received_at),
        started_at=started_at,
        severity=severity(labels.get("severity") or labels.get("priority") or ""),
        service=_first(labels, SERVICE_LABELS),
        resource=_first(labels, RESOURCE_LABELS),
        summary=summary,
        labels=labels,
        links=links(
            {
                "source": text(raw, "generatorURL"),
                "runbook": annotations.get("runbook_url") or annotations.get("runbook") or "",
                "dashboard": annotations.get("dashboard_url") or annotations.get("dashboard") or "",
                "alertmanager": instance,
            }
        ),
    )


def _status(word: str) -> Status:
    if word == "firing":
        return Status.FIRING
    if word == "resolved":
        return Status.RESOLVED
    raise Unparseable(f"status is neither firing nor resolved: {shown(word)!r}", field="status")


def _ended_at(raw: Mapping[str, Any], started_at: datetime, received_at: datetime) -> datetime:
    """When it resolved: never before it fired, or the resolve would be taken for an older message than the firing."""
    ended_at = None if raw.get("endsAt") == NOT_ENDED else moment(raw, "endsAt", received_at)
    return max(ended_at or received_at, started_at)


def _with_what_was_left_out(parsed: Parsed, truncated: object) -> Parsed:
    """Alertmanager cuts large groups (`max_alerts`); whoever reads the alerts must know that there were more."""
    if not isinstance(truncated, int) or isinstance(truncated, bool) or truncated <= 0:
        return parsed
    note = f"Alertmanager left out {truncated} more alerts of this group (truncatedAlerts)"
    told = tuple(replace(a, summary=bounded(f"{a.summary[:500]} [{note}]".lstrip(), "summary")) for a in parsed.alerts)
    return replace(parsed, alerts=told, notes=(*parsed.notes, note))


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((values[name] for name in names if values.get(name)), "")


_CELL = {"alertname": "OrdersErrorRate", "service": "orders", "cell": "b", "severity": "critical"}
_GROUP: Mapping[str, Any] = {
    "version": "4",
    "groupKey": '{}/{team="shop"}:{alertname="OrdersErrorRate"}',
    "truncatedAlerts": 0,
    "receiver": "incident-bot",
    "groupLabels": {"alertname": "OrdersErrorRate"},
    "commonLabels": {"alertname": "OrdersErrorRate", "service": "orders"},
    "commonAnnotations": {},
    "externalURL": "https://alertmanager.example.com",
}
_FIRING: Mapping[str, Any] = {
    "status": "firing",
    "labels": _CELL,
    "annotations": {"summary": "7 % of orders fail in cell b", "runbook_url": "https://runbooks.example.com/orders"},
    "startsAt": "2026-01-15T10:00:12.345678901Z",
    "endsAt": NOT_ENDED,
    "generatorURL": "https://prometheus.example.com/graph?g0.expr=orders",
    "fingerprint": "c0ffee0123456789",
}
_RESOLVED: Mapping[str, Any] = {**_FIRING, "status": "resolved", "endsAt": "2026-01-15T10:04:00+01:00"}

SOURCE = Source(
    name="alertmanager",
    reference="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    parse=parse,
    labels=("*",),
    authentication=BearerOrBasic(),
    repeats_within_seconds=5 * 3600,  # `repeat_interval` is four hours by default, and a group may wait for its turn
    examples=(
        Example(
            "one alert fires",
            {**_GROUP, "status": "firing", "alerts": [_FIRING]},
            (
                {
                    "title": "OrdersErrorRate",
                    "status": "firing",
                    "severity": 1,
                    "service": "orders",
                    "identity": {"alertname": "OrdersErrorRate", "service": "orders", "cell": "b"},
                    "occurred_at": "2026-01-15T10:00:12.345678Z",
                    "summary": "7 % of orders fail in cell b",
                    "links": {"runbook": "https://runbooks.example.com/orders"},
                },
            ),
        ),
        Example(
            "a group in which one alert still fires and one has resolved, its clock an hour east",
            {
                **_GROUP,
                "status": "firing",
                "alerts": [
                    {**_FIRING, "labels": {**_CELL, "cell": "a"}},
                    {**_RESOLVED, "startsAt": "2026-01-15T09:00:00+01:00"},
                ],
            },
            (
                {"status": "firing", "labels": {"cell": "a"}},
                {
                    "status": "resolved",
                    "labels": {"cell": "b"},
                    "started_at": "2026-01-15T08:00:00.000000Z",
                    "occurred_at": "2026-01-15T09:04:00.000000Z",
                },
            ),
        ),
        Example(
            "a resolve that says nothing of its end",
            {**_GROUP, "status": "resolved", "alerts": [{**_RESOLVED, "endsAt": NOT_ENDED}]},
            ({"status": "resolved", "occurred_at": "2026-01-15T10:05:00.000000Z"},),
        ),
        Example(
            "a group cut by max_alerts, with a bad neighbour and a link that nobody should follow",
            {
                **_GROUP,
                "status": "firing",
                "truncatedAlerts": 12,
                "alerts": [{**_FIRING, "startsAt": "yesterday"}, {**_FIRING, "generatorURL": "javascript:alert(1)"}],
            },
            (
                {
                    "summary": "7 % of orders fail in cell b"
                    " [Alertmanager left out 12 more alerts of this group (truncatedAlerts)]",
                },
            ),
            rejects=("startsAt",),
        ),
    ),
)
