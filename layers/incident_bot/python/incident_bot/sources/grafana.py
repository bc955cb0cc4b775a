"""Grafana Alerting: its webhook contact point, version 1; every alert of a group is an alert of its own.

The contact point signs with its "HMAC signature" (name X-Grafana-Alerting-Timestamp as its timestamp header, so that a
recorded delivery is good for five minutes only), or sends the secret as its Authorization header or basic password.
A rule without data and a rule whose query fails fire under names of their own. Where Grafana merely stopped looking
(the series vanished, somebody paused, changed or deleted the rule), its "resolve" is no recovery and counts as neither.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from incident_bot.authentication import AnyOf, BearerOrBasic, HeaderSignature
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.payload import links, mapping, prose, severity, strings, text
from incident_bot.sources import Example, Parsed, Source, _group, read_each

KINDS = {"DatasourceNoData": "no data", "DatasourceError": "its query fails"}
TEST = {"alertname": "TestAlert", "instance": "Grafana"}  # what the contact point's Test button sends
NOT_RECOVERED = frozenset({"MissingSeries", "Paused", "Updated", "RuleDeleted"})
VALUES = 6  # of a rule's queries that are told


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The alerts of one notification; Unparseable where it is not a webhook of version 1."""
    alerts = _group.alerts_of(body, "1")
    parsed = read_each(alerts, partial(_alert, group_status=text(body, "status"), received_at=received_at))
    return _group.with_what_was_left_out(parsed, body.get("truncatedAlerts"), "Grafana")


def _alert(raw: Mapping[str, Any], *, group_status: str, received_at: datetime) -> Alert:
    labels = {name: value for name, value in strings(raw, "labels").items() if not name.startswith("__")}
    annotations = mapping(raw, "annotations")
    identity = _group.named_by(labels)
    reason = prose(annotations, "grafana_state_reason")
    status = _status(text(raw, "status") or group_status, reason)
    started_at = _group.started_at(raw, received_at)
    test = TEST.items() <= labels.items()
    return Alert(
        source="grafana",
        title="Test notification of a Grafana contact point" if test else _title(labels),
        status=status,
        identity=identity,
        occurred_at=started_at if status is Status.FIRING else _group.ended_at(raw, started_at, received_at),
        started_at=started_at,
        severity=Severity.SEV5 if test else severity(labels.get("severity") or labels.get("priority") or ""),
        service=_group.first(labels, _group.SERVICE_LABELS),
        resource=_group.first(labels, _group.RESOURCE_LABELS),
        summary=_summary(annotations, mapping(raw, "values")),
        labels=labels | ({"state_reason": reason} if reason else {}) | ({"test": "true"} if test else {}),
        links=_links(raw, annotations),
    )


def _status(word: str, reason: str) -> Status:
    found = _group.status_of(word)
    return Status.UNKNOWN if found is Status.RESOLVED and reason in NOT_RECOVERED else found


def _title(labels: Mapping[str, str]) -> str:
    """The rule's name, which Grafana moves to `rulename` where it puts its own in place."""
    name = labels.get("alertname", "")
    rule = labels.get("rulename") or name or "Alert without a name"
    return f"{rule}: {KINDS[name]}" if name in KINDS else rule


def _summary(annotations: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """What its annotations say, and the values that made it fire (by the letters of the rule's queries)."""
    said = next((prose(annotations, name) for name in _group.SUMMARIES if prose(annotations, name)), "")
    measured = (f"{name[:20]} = {value:.6g}" for name, value in list(values.items())[:VALUES] if _number(value))
    told = ", ".join(measured)
    return f"{said} ({told})".lstrip() if told else said


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _links(raw: Mapping[str, Any], annotations: Mapping[str, Any]) -> dict[str, str]:
    return links(
        {
            "source": text(raw, "generatorURL"),
            "silence": text(raw, "silenceURL"),
            "dashboard": text(raw, "panelURL") or text(raw, "dashboardURL"),
            "image": text(raw, "imageURL"),
            "runbook": prose(annotations, "runbook_url"),
        }
    )


_LABELS = {"alertname": "CheckoutLatency", "grafana_folder": "shop", "service": "checkout", "severity": "warning"}
_FIRING: Mapping[str, Any] = {
    "status": "firing",
    "labels": _LABELS,
    "annotations": {"summary": "p99 is above a second", "runbook_url": "https://runbooks.example.com/latency"},
    "startsAt": "2026-01-15T11:00:10.5+01:00",
    "endsAt": _group.NOT_ENDED,
    "values": {"A": 1.3749, "C": 1},
    "generatorURL": "https://grafana.example.com/alerting/grafana/latency/view?orgId=1",
    "fingerprint": "7b3a0de1c4f2a915",
    "silenceURL": "https://grafana.example.com/alerting/silence/new?alertmanager=grafana",
    "dashboardURL": "https://grafana.example.com/d/checkout?orgId=1",
    "panelURL": "https://grafana.example.com/d/checkout?orgId=1&viewPanel=4",
}
_RESOLVED: Mapping[str, Any] = {**_FIRING, "status": "resolved", "endsAt": "2026-01-15T10:04:00Z", "values": None}
_VANISHED = {**_FIRING["annotations"], "grafana_state_reason": "MissingSeries"}
_NO_DATA = {**_LABELS, "alertname": "DatasourceNoData", "rulename": "CheckoutLatency", "datasource_uid": "prometheus"}


def _group_of(*alerts: Mapping[str, Any], status: str = "firing", **more: Any) -> Mapping[str, Any]:
    return {
        "receiver": "incident-bot",
        "status": status,
        "orgId": 1,
        "alerts": list(alerts),
        "groupLabels": {"alertname": "CheckoutLatency"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://grafana.example.com/",
        "version": "1",
        "groupKey": '{}:{alertname="CheckoutLatency"}',
        "truncatedAlerts": 0,
        "title": "[FIRING:1] CheckoutLatency",
        "state": "alerting",
        "message": "**Firing**",
        **more,
    }


SOURCE = Source(
    name="grafana",
    reference="https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/"
    "integrations/webhook-notifier/",
    parse=parse,
    labels=("*",),
    authentication=AnyOf(
        HeaderSignature("X-Grafana-Alerting-Signature", timestamp_header="X-Grafana-Alerting-Timestamp"),
        BearerOrBasic(),
    ),
    repeats_within_seconds=_group.REPEATED_WITHIN_SECONDS,
    examples=(
        Example(
            "one alert fires, its clock an hour east",
            _group_of(_FIRING),
            (
                {
                    "title": "CheckoutLatency",
                    "status": "firing",
                    "severity": 3,
                    "service": "checkout",
                    "identity": {"alertname": "CheckoutLatency", "grafana_folder": "shop", "service": "checkout"},
                    "occurred_at": "2026-01-15T10:00:10.500000Z",
                    "summary": "p99 is above a second (A = 1.3749, C = 1)",
                    "links": {
                        "dashboard": "https://grafana.example.com/d/checkout?orgId=1&viewPanel=4",
                        "silence": "https://grafana.example.com/alerting/silence/new?alertmanager=grafana",
                    },
                },
            ),
        ),
        Example(
            "one has resolved, one merely vanished, and one more was left out",
            _group_of(_RESOLVED, {**_RESOLVED, "annotations": _VANISHED}, status="resolved", truncatedAlerts=1),
            (
                {"status": "resolved", "occurred_at": "2026-01-15T10:04:00.000000Z"},
                {"status": "unknown", "labels": {"state_reason": "MissingSeries"}},
            ),
        ),
        Example(
            "a rule without data, beside one whose query fails and says so at length",
            _group_of(
                {**_FIRING, "labels": _NO_DATA, "values": {}, "annotations": {}},
                {
                    **_FIRING,
                    "labels": {**_NO_DATA, "alertname": "DatasourceError"},
                    "annotations": {"summary": "", "description": "x" * 9_000, "Error": "x" * 9_000},
                },
            ),
            (
                {"title": "CheckoutLatency: no data", "summary": "", "service": "checkout"},
                {"title": "CheckoutLatency: its query fails"},
            ),
        ),
        Example(
            "the test of a contact point, beside an alert without a start",
            _group_of({**_FIRING, "labels": TEST}, {**_FIRING, "startsAt": None}),
            ({"severity": 5, "labels": {"test": "true"}, "title": "Test notification of a Grafana contact point"},),
            rejects=("startsAt",),
        ),
    ),
)
