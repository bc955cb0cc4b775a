"""Prometheus Alertmanager: its webhook, version 4; every alert of a group is an alert of its own."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Status
from incident_bot.payload import links, severity, sized, strings, text
from incident_bot.sources import Example, Parsed, Source, _group, read_each

KNOWN = frozenset({"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"})


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The alerts of one notification; Unparseable where it is not a webhook of version 4."""
    alerts = _group.alerts_of(body, "4")
    group_status, instance = text(body, "status"), text(body, "externalURL")
    parsed = read_each(alerts, partial(_alert, group_status=group_status, instance=instance, received_at=received_at))
    return _group.with_what_was_left_out(parsed, body.get("truncatedAlerts"), "Alertmanager")


def _alert(raw: Mapping[str, Any], *, group_status: str, instance: str, received_at: datetime) -> Alert:
    sized(raw, KNOWN)
    labels, annotations = strings(raw, "labels"), strings(raw, "annotations")
    identity = _group.named_by(labels)
    status = _group.status_of(text(raw, "status") or group_status)
    started_at = _group.started_at(raw, received_at)
    summary = _group.first(annotations, _group.SUMMARIES)
    return Alert(
        source="alertmanager",
        title=labels.get("alertname") or summary or "Alert without a name",
        status=status,
        identity=identity,
        occurred_at=started_at if status is Status.FIRING else _group.ended_at(raw, started_at, received_at),
        started_at=started_at,
        severity=severity(labels.get("severity") or labels.get("priority") or ""),
        service=_group.first(labels, _group.SERVICE_LABELS),
        resource=_group.first(labels, _group.RESOURCE_LABELS),
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
    "endsAt": _group.NOT_ENDED,
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
    repeats_within_seconds=_group.REPEATED_WITHIN_SECONDS,
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
            {**_GROUP, "status": "resolved", "alerts": [{**_RESOLVED, "endsAt": _group.NOT_ENDED}]},
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
