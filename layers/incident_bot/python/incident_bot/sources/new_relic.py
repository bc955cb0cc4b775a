"""New Relic: a workflow's webhook with the payload template that New Relic proposes.

The destination authenticates with a bearer token or basic authentication. An issue gathers more incidents while it is
open, so only its id names it from its activation to its end. Optional additions to the template that are read:
"runbookUrl": {{json accumulations.runbookUrl.[0]}} and "tags": "service:checkout, team:shop".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, prose, severity, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled, milliseconds
from incident_bot.sources._tags import names_of, tags_of

STATES = {
    "CREATED": Status.FIRING,
    "ACTIVATED": Status.FIRING,
    "ACKNOWLEDGED": Status.FIRING,
    "CLOSED": Status.RESOLVED,
}
TEST_ISSUE = "d1b1f3fd-995a-4066-88ab-8ce4f6960654"  # of the sample that "Send test notification" sends


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one issue of a notification."""
    state = text(body, "state", required=True).upper()
    if state not in STATES:
        raise Unparseable(f"state is none of {', '.join(STATES)}: {shown(state)!r}", field="state")
    issue, status = text(body, "id", required=True), STATES[state]
    conditions, entities = names_of(body.get("alertConditionNames")), names_of(body.get("impactedEntities"))
    started_at = milliseconds(body, "createdAt", received_at) or received_at
    updated_at = milliseconds(body, "updatedAt", received_at) or received_at
    tags, entity = tags_of(body.get("tags")), entities[0] if len(entities) == 1 else ""
    test = issue == TEST_ISSUE
    title = _title(body, conditions, entity)
    alert = Alert(
        source="new_relic",
        title=f"Test: {title}" if test else title,
        status=status,
        identity={"issue": issue},
        occurred_at=started_at if status is Status.FIRING else max(updated_at, started_at),
        started_at=started_at,
        severity=Severity.SEV5 if test else severity(text(body, "priority")),
        service=tags.get("service") or entity,
        summary=prose(body, "title"),
        labels=tags
        | labelled(
            policy=", ".join(names_of(body.get("alertPolicyNames"))),
            condition=", ".join(conditions),
            entity=", ".join(entities),
            workflow=prose(body, "workflowName"),
            correlated=body.get("isCorrelated"),
            test="true" if test else None,
        ),
        links=links({"source": text(body, "issueUrl"), "runbook": text(body, "runbookUrl")}),
    )
    return Parsed((alert,))


def _title(body: Mapping[str, Any], conditions: tuple[str, ...], entity: str) -> str:
    """The condition and whom it is about, where it is one; otherwise what New Relic calls the issue."""
    if len(conditions) == 1:
        return f"{conditions[0]}: {entity}" if entity else conditions[0]
    return prose(body, "title") or ", ".join(conditions)[:500] or "Issue without a title"


_ACTIVATED: Mapping[str, Any] = {
    "id": "3b0a5d2e-6f1c-4c8e-9a47-0d7f5b1e2c33",
    "issueUrl": "https://radar-api.service.eu.newrelic.com/accounts/4711/issues/3b0a5d2e?notifier=WEBHOOK",
    "title": "Error rate > 3 for at least 5 minutes on 'checkout'",
    "priority": "CRITICAL",
    "impactedEntities": ["checkout", "checkout"],
    "totalIncidents": 1,
    "state": "ACTIVATED",
    "trigger": "STATE_CHANGE",
    "isCorrelated": "false",
    "createdAt": 1768471200250,
    "updatedAt": 1768471201000,
    "sources": ["newrelic"],
    "alertPolicyNames": ["Shop"],
    "alertConditionNames": ["Error rate"],
    "workflowName": "Shop to Incident Bot",
}

SOURCE = Source(
    name="new_relic",
    reference="https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook",
    parse=parse,
    labels=("*",),
    authentication=BearerOrBasic(),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "an issue is activated",
            _ACTIVATED,
            (
                {
                    "title": "Error rate: checkout",
                    "status": "firing",
                    "severity": 1,
                    "service": "checkout",
                    "identity": {"issue": "3b0a5d2e-6f1c-4c8e-9a47-0d7f5b1e2c33"},
                    "occurred_at": "2026-01-15T10:00:00.250000Z",
                    "labels": {"policy": "Shop", "condition": "Error rate", "correlated": "false"},
                },
            ),
        ),
        Example(
            "a second incident of another condition joins it",
            {
                **_ACTIVATED,
                "trigger": "INCIDENT_ADDED",
                "isCorrelated": True,
                "impactedEntities": ["checkout", "orders"],
                "alertConditionNames": ["Error rate", "Throughput"],
                "tags": "service:checkout,team:shop",
                "runbookUrl": "https://runbooks.example.com/errors",
            },
            (
                {
                    "title": "Error rate > 3 for at least 5 minutes on 'checkout'",
                    "service": "checkout",
                    "labels": {"team": "shop", "entity": "checkout, orders"},
                    "links": {"runbook": "https://runbooks.example.com/errors"},
                },
            ),
        ),
        Example(
            "it is closed",
            {**_ACTIVATED, "state": "CLOSED", "updatedAt": "1768471440000", "priority": "HIGH"},
            ({"status": "resolved", "severity": 2, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "one that says no more than it must",
            {"id": "1", "state": "activated", "alertPolicyNames": None, "impactedEntities": [7]},
            ({"title": "Issue without a title", "severity": None, "occurred_at": "2026-01-15T10:05:00.000000Z"},),
        ),
        Example(
            "the test of a workflow",
            {**_ACTIVATED, "id": TEST_ISSUE, "createdAt": 1617881246260},
            ({"title": "Test: Error rate: checkout", "severity": 5, "labels": {"test": "true"}},),
        ),
    ),
)
