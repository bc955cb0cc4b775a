"""Splunk Observability Cloud (SignalFx): the default payload of its webhook integration for detectors.

The integration's shared secret signs the body. A rule of a detector fires for each combination of its dimensions, and
those name the series: the incident's id is a new one each time. That a detector was changed or deleted while it fired
(`stopped`) says nothing of a recovery.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.authentication import HeaderSignature
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, moment, prose, shown, text
from incident_bot.sources import ONLY_CHANGES_SECONDS, Example, Parsed, Source
from incident_bot.sources._fields import labelled

STATES = {
    "anomalous": Status.FIRING,
    "ok": Status.RESOLVED,
    "manually resolved": Status.RESOLVED,
    "stopped": Status.UNKNOWN,
}
SEVERITIES = {
    "critical": Severity.SEV1,
    "major": Severity.SEV2,
    "minor": Severity.SEV3,
    "warning": Severity.SEV4,
    "info": Severity.SEV5,
}
SERVICE_DIMENSIONS = ("service.name", "sf_service", "service")
RESOURCE_DIMENSIONS = ("aws_arn", "host.name", "host", "AWSUniqueId")
DIMENSIONS = 32


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alert of a notification."""
    state = text(body, "statusExtended") or text(body, "status", required=True)
    if state.lower() not in STATES:
        raise Unparseable(f"statusExtended is none of {', '.join(STATES)}: {shown(state)!r}", field="statusExtended")
    detector, rule = text(body, "detector"), text(body, "rule")
    named = text(body, "detectorId") or text(body, "detector", required=True)
    occurred_at = moment(body, "timestamp", received_at) or received_at
    dimensions = _dimensions(mapping(body, "inputs"))
    alert = Alert(
        source="splunk_observability",
        title=rule or detector,
        status=STATES[state.lower()],
        identity={**dimensions, "detector": named, "rule": rule},
        occurred_at=occurred_at,
        started_at=occurred_at,
        severity=SEVERITIES.get(text(body, "severity").lower()),
        service=next((dimensions[name] for name in SERVICE_DIMENSIONS if name in dimensions), ""),
        resource=next((dimensions[name] for name in RESOURCE_DIMENSIONS if name in dimensions), ""),
        summary=prose(body, "messageTitle") or prose(body, "description") or prose(body, "messageBody"),
        labels=dimensions | labelled(detector=detector, rule=rule, state=state),
        links=links(
            {"source": text(body, "detectorUrl"), "runbook": text(body, "runbookUrl"), "image": text(body, "imageUrl")}
        ),
    )
    return Parsed((alert,))


def _dimensions(inputs: Mapping[str, Any]) -> dict[str, str]:
    """The dimensions of every signal that the rule compares: for one that fires they are those of the culprit."""
    found: dict[str, str] = {}
    for signal in inputs.values():
        if not isinstance(signal, Mapping):
            continue
        key = signal.get("key") or signal.get("dimensions")
        if isinstance(key, Mapping):
            found |= labelled(**key)
    return dict(sorted(found.items())[:DIMENSIONS])


_FIRING: Mapping[str, Any] = {
    "sf_schema": 2,
    "detector": "Orders latency",
    "detectorId": "FxQ1detectorAA",
    "detectorUrl": "https://app.eu0.signalfx.com/#/detector/v2/FxQ1detectorAA/edit?incidentId=GbR2incidentAA",
    "incidentId": "GbR2incidentAA",
    "eventType": "FxQ1detectorAA-1",
    "rule": "p99 above a second",
    "severity": "Major",
    "description": "p99 of orders is 1.4 s",
    "messageTitle": "Major Alert: p99 above a second (Orders latency)",
    "messageBody": "Rule p99 above a second in detector Orders latency triggered",
    "detectOnCondition": "when(A > 1, lasting='5m')",
    "runbookUrl": "https://runbooks.example.com/orders",
    "status": "anomalous",
    "statusExtended": "anomalous",
    "timestamp": "2026-01-15T10:00:00Z",
    "inputs": {
        "A": {
            "key": {"service.name": "orders", "host": "i-0a1b2c3d", "attempt": 2},
            "value": 1.4,
            "fragment": "data('latency').p99(by=['service.name', 'host'])",
        },
        "_S1": {"value": 1, "fragment": "1"},
    },
}

SOURCE = Source(
    name="splunk_observability",
    reference="https://dev.splunk.com/observability/docs/integrations/webhook_integration_overview/",
    parse=parse,
    labels=("*",),
    authentication=HeaderSignature("X-SFX-Signature", encoding="base64"),
    repeats_within_seconds=ONLY_CHANGES_SECONDS,
    examples=(
        Example(
            "a rule fires for one host of a service",
            _FIRING,
            (
                {
                    "title": "p99 above a second",
                    "status": "firing",
                    "severity": 2,
                    "service": "orders",
                    "resource": "i-0a1b2c3d",
                    "identity": {"detector": "FxQ1detectorAA", "rule": "p99 above a second", "attempt": "2"},
                    "occurred_at": "2026-01-15T10:00:00.000000Z",
                    "links": {"runbook": "https://runbooks.example.com/orders"},
                },
            ),
        ),
        Example(
            "it has cleared, with another incident's id and value",
            {
                **_FIRING,
                "status": "ok",
                "statusExtended": "ok",
                "timestamp": "2026-01-15T10:04:00Z",
                "severity": "Info",
            },
            ({"status": "resolved", "severity": 5, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "a person resolved it; an older sender knows only `status`, and dimensions by their older name",
            {
                "detector": "Disk",
                "rule": "full",
                "severity": "Purple",
                "status": "manually resolved",
                "inputs": {"A": {"dimensions": {"host": "db-1"}}, "B": 7},
            },
            (
                {
                    "status": "resolved",
                    "severity": None,
                    "identity": {"detector": "Disk", "rule": "full", "host": "db-1"},
                },
            ),
        ),
        Example(
            "somebody changed the detector while it fired",
            {**_FIRING, "status": "ok", "statusExtended": "stopped", "inputs": None},
            ({"status": "unknown"},),
        ),
    ),
)
