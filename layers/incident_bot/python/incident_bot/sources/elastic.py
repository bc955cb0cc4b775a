"""Elastic: a Kibana alerting rule's action on a Webhook connector, whose body the team writes; this one is read.

    {"rule_id": "{{rule.id}}", "rule_name": "{{rule.name}}", "space": "{{rule.spaceId}}", "tags": "{{rule.tags}}",
     "alert_id": "{{alert.id}}", "action_group": "{{alert.actionGroup}}", "flapping": "{{alert.flapping}}",
     "date": "{{date}}", "reason": "{{context.reason}}", "message": "{{context.message}}", "severity": "critical",
     "rule_url": "{{rule.url}}", "alert_url": "{{context.alertDetailsUrl}}", "service": "", "runbook": ""}

Add the action twice, for each alert and on status changes: to the rule's own group and to "Recovered", which ends it.
The connector authenticates with basic authentication, or a secret header `Authorization: Bearer <secret>`, and needs
the header `Content-Type: application/json`. `severity`, `service` and `runbook` are yours to write; without a severity
the action group's last word tells (`warning`, `high`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Status
from incident_bot.payload import links, moment, prose, severity, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled
from incident_bot.sources._tags import tags_of

RECOVERED = "recovered"


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of an action."""
    rule, group = text(body, "rule_id", required=True), text(body, "action_group", required=True)
    name, one = text(body, "rule_name") or rule, text(body, "alert_id")
    at = moment(body, "date", received_at) or received_at
    tags = tags_of(body.get("tags"))
    alert = Alert(
        source="elastic",
        title=name if one in ("", "*", group) else f"{name}: {one}"[:500],
        status=Status.RESOLVED if group == RECOVERED else Status.FIRING,
        identity={"space": text(body, "space"), "rule": rule, "alert": one},
        occurred_at=at,
        started_at=at,
        severity=severity(text(body, "severity")) or severity(group.replace("_", ".").rpartition(".")[2]),
        service=text(body, "service") or tags.get("service", ""),
        resource=text(body, "resource"),
        summary=prose(body, "reason") or prose(body, "message"),
        labels=tags
        | labelled(
            rule=name, alert=one, space=body.get("space"), action_group=group, flapping=body.get("flapping") or None
        ),
        links=links(
            {
                "source": text(body, "alert_url") or text(body, "rule_url"),
                "rule": text(body, "rule_url"),
                "runbook": text(body, "runbook"),
            }
        ),
    )
    return Parsed((alert,))


_FIRES: Mapping[str, Any] = {
    "rule_id": "6f0c3b1e-8a5d-4e0e-9a3c-1f2d3e4f5a6b",
    "rule_name": "Host CPU",
    "space": "default",
    "tags": "service:search,team:shop,cpu",
    "alert_id": "es-data-3",
    "action_group": "metrics.threshold.warning",
    "flapping": "false",
    "date": "2026-01-15T10:00:00.250Z",
    "reason": "CPU usage is 93 % in the last 5 min for es-data-3. Alert when > 90 %.",
    "message": "",
    "severity": "",
    "rule_url": "https://kibana.example.com/app/management/insightsAndAlerting/triggersActions/rule/6f0c3b1e",
    "alert_url": "https://kibana.example.com/app/observability/alerts/2b1c",
}

SOURCE = Source(
    name="elastic",
    reference="https://www.elastic.co/docs/reference/kibana/connectors-kibana/webhook-action-type",
    parse=parse,
    labels=("*",),
    authentication=BearerOrBasic(),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a rule fires for one host, its action group saying how bad it is",
            _FIRES,
            (
                {
                    "title": "Host CPU: es-data-3",
                    "status": "firing",
                    "severity": 3,
                    "service": "search",
                    "identity": {"space": "default", "rule": _FIRES["rule_id"], "alert": "es-data-3"},
                    "occurred_at": "2026-01-15T10:00:00.250000Z",
                    "labels": {"team": "shop", "action_group": "metrics.threshold.warning"},
                },
            ),
        ),
        Example(
            "it has recovered, in a group that no longer says how bad it was",
            {**_FIRES, "action_group": "recovered", "date": "2026-01-15T10:04:00.000Z", "reason": ""},
            (
                {
                    "status": "resolved",
                    "severity": None,
                    "identity": {"space": "default", "rule": _FIRES["rule_id"], "alert": "es-data-3"},
                    "occurred_at": "2026-01-15T10:04:00.000000Z",
                },
            ),
        ),
        Example(
            "an Elasticsearch query that matched, with a severity and a runbook of the team's",
            {
                **_FIRES,
                "rule_name": "Refused logins",
                "alert_id": "query matched",
                "action_group": "query matched",
                "severity": "critical",
                "message": "214 documents in the last 5 minutes",
                "reason": "",
                "runbook": "https://runbooks.example.com/logins",
            },
            (
                {
                    "title": "Refused logins",
                    "severity": 1,
                    "summary": "214 documents in the last 5 minutes",
                    "links": {"runbook": "https://runbooks.example.com/logins"},
                },
            ),
        ),
        Example(
            "variables that this rule type does not have",
            {"rule_id": "r-1", "rule_name": "", "alert_id": "*", "action_group": "slo.burnRate.high", "date": ""},
            ({"title": "r-1", "severity": 2, "service": "", "occurred_at": "2026-01-15T10:05:00.000000Z"},),
        ),
    ),
)
