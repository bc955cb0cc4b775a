"""Dynatrace: a problem notification by custom integration, whose payload the team writes; this one is read to the full.

    {"State": "{State}", "PID": "{PID}", "ProblemID": "{ProblemID}", "ProblemTitle": "{ProblemTitle}",
     "ProblemSeverity": "{ProblemSeverity}", "ProblemImpact": "{ProblemImpact}", "ProblemURL": "{ProblemURL}",
     "ImpactedEntities": {ImpactedEntities}, "Tags": "{Tags}", "ProblemDetailsText": "{ProblemDetailsText}",
     "ProblemDetailsJSONv2": {ProblemDetailsJSONv2}}

The secret goes into a header of the integration: `Authorization: Bearer <secret>`. Let it also notify when a problem
closes. Without the details as JSON the times of a problem are those of the notifications' arrival.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import BearerOrBasic
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, prose, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled, milliseconds
from incident_bot.sources._tags import names_of, tags_of

STATES = {
    "OPEN": Status.FIRING,
    "MERGED": Status.RESOLVED,  # into another problem, which has told of itself; of this one nothing more will come
    "RESOLVED": Status.RESOLVED,
    "CLOSED": Status.RESOLVED,
}
SEVERITIES = {
    "AVAILABILITY": Severity.SEV1,
    "ERROR": Severity.SEV2,
    "PERFORMANCE": Severity.SEV3,
    "RESOURCE_CONTENTION": Severity.SEV3,
}
DETAILS = ("ProblemDetailsJSONv2", "ProblemDetailsJSON")
TEST = ("99999", "999")  # PID and ProblemID of the integration's test notification
SERVICES = ("SERVICE", "APPLICATION")


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one problem of a notification."""
    state = text(body, "State", required=True).upper()
    if state not in STATES:
        raise Unparseable(f"State is none of {', '.join(STATES)}: {shown(state)!r}", field="State")
    problem = text(body, "PID") or text(body, "ProblemID", required=True)
    status = STATES[state]
    started_at, occurred_at = _times(body, status, received_at)
    tags, entities = tags_of(body.get("Tags")), _entities(body.get("ImpactedEntities"))
    services = names_of([name for kind, name in entities if kind in SERVICES])
    category = text(body, "ProblemSeverity").upper()
    test = (text(body, "PID"), text(body, "ProblemID")) == TEST
    alert = Alert(
        source="dynatrace",
        title=prose(body, "ProblemTitle") or "Problem without a title",
        status=status,
        identity={"problem": problem},
        occurred_at=occurred_at,
        started_at=started_at,
        severity=Severity.SEV5 if test else SEVERITIES.get(category),
        service=tags.get("service") or (services[0] if len(services) == 1 else ""),
        resource=entities[0][1] if len(entities) == 1 else "",
        summary=prose(body, "ProblemDetailsText") or prose(body, "ImpactedEntity"),
        labels=tags
        | labelled(
            problem=text(body, "ProblemID"),
            category=category,
            impact=text(body, "ProblemImpact"),
            entity=", ".join(names_of([name for _, name in entities])),
            test="true" if test else None,
        ),
        links=links({"source": text(body, "ProblemURL") or text(body, "Problem URL")}),
    )
    return Parsed((alert,))


def _times(body: Mapping[str, Any], status: Status, received_at: datetime) -> tuple[datetime, datetime]:
    """When it began and when this state of it did; the end is -1 while it is open."""
    found: Mapping[str, Any] = next((body[name] for name in DETAILS if isinstance(body.get(name), Mapping)), {})
    started_at = milliseconds(found, "startTime", received_at) or received_at
    if status is Status.FIRING:
        return started_at, started_at
    ended_at = None if found.get("endTime") == -1 else milliseconds(found, "endTime", received_at)
    return started_at, max(ended_at or received_at, started_at)


def _entities(found: object) -> list[tuple[str, str]]:
    """The kind and name of everything that is impacted."""
    listed = found if isinstance(found, list) else []
    read = [(prose(entity, "type"), prose(entity, "name")) for entity in listed if isinstance(entity, Mapping)]
    return [(kind, name) for kind, name in read if name]


_OPEN: Mapping[str, Any] = {
    "State": "OPEN",
    "PID": "-5093512874912345678_1768471200000V2",
    "ProblemID": "P-26011",
    "ProblemTitle": "Failure rate increase",
    "ProblemSeverity": "ERROR",
    "ProblemImpact": "SERVICE",
    "ProblemURL": "https://abc12345.live.dynatrace.com/#problems/problemdetails;pid=-5093512874912345678",
    "ImpactedEntities": [{"type": "SERVICE", "name": "checkout", "entity": "SERVICE-0A1B2C3D4E5F6071"}],
    "Tags": "env:production, [AWS]team:shop, untitled",
    "ProblemDetailsText": "The failure rate of checkout rose to 4.2 %",
    "ProblemDetailsJSONv2": {"problemId": "-5093512874912345678", "startTime": 1768471200250, "endTime": -1},
}

SOURCE = Source(
    name="dynatrace",
    reference="https://docs.dynatrace.com/docs/analyze-explore-automate/notifications-and-alerting/"
    "problem-notifications/webhook-integration",
    parse=parse,
    labels=("*",),
    authentication=BearerOrBasic(),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a problem opens",
            _OPEN,
            (
                {
                    "title": "Failure rate increase",
                    "status": "firing",
                    "severity": 2,
                    "service": "checkout",
                    "identity": {"problem": "-5093512874912345678_1768471200000V2"},
                    "occurred_at": "2026-01-15T10:00:00.250000Z",
                    "labels": {"env": "production", "team": "shop", "problem": "P-26011", "category": "ERROR"},
                },
            ),
        ),
        Example(
            "it is resolved",
            {
                **_OPEN,
                "State": "RESOLVED",
                "ProblemDetailsJSONv2": {"startTime": 1768471200250, "endTime": 1768471440000},
            },
            (
                {
                    "status": "resolved",
                    "started_at": "2026-01-15T10:00:00.250000Z",
                    "occurred_at": "2026-01-15T10:04:00.000000Z",
                },
            ),
        ),
        Example(
            "one of several services, with the older placeholders and no times",
            {
                "State": "OPEN",
                "ProblemID": "991",
                "ProblemTitle": "",
                "ProblemSeverity": "CUSTOM_ALERT",
                "Problem URL": "https://abc12345.live.dynatrace.com/#problems",
                "ImpactedEntity": "checkout, orders",
                "ImpactedEntities": [{"type": "SERVICE", "name": "checkout"}, {"type": "SERVICE", "name": "orders"}, 1],
                "Tags": "service:orders",
            },
            (
                {
                    "title": "Problem without a title",
                    "severity": None,
                    "service": "orders",
                    "identity": {"problem": "991"},
                    "occurred_at": "2026-01-15T10:05:00.000000Z",
                    "links": {"source": "https://abc12345.live.dynatrace.com/#problems"},
                },
            ),
        ),
        Example(
            "the test of the integration",
            {**_OPEN, "PID": "99999", "ProblemID": "999", "ProblemTitle": "Dynatrace problem notification test run"},
            ({"severity": 5, "labels": {"test": "true"}},),
        ),
    ),
)
