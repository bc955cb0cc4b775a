"""PagerDuty's change events: whatever tells PagerDuty of a change tells us too, and pages nobody.

A change event tells of a moment, not of a beginning and an end. What fires after it is correlated by it, and a deploy
window's settling time begins with it. Its key is one that sends alerts too, so it is a claim, and no pipeline's word.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.domain.deploys import Change
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources.pagerduty import RoutingKey

LONGEST = 1024  # characters of a summary, as PagerDuty has it
SHOWN = 60
REVISIONS = ("revision", "version", "commit", "sha", "deployment_id")
OUTCOMES = ("build_state", "state", "status", "result")
BADLY = ("failed", "failure", "error", "errored", "canceled", "cancelled", "aborted")


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The change that the event tells of."""
    payload = mapping(body, "payload", required=True)
    summary, details = _summary(payload), payload.get("custom_details")
    told = details if isinstance(details, Mapping) else {}
    at = moment(payload, "timestamp", received_at)
    identifier = _identifier(payload, at or received_at)
    change = Change(
        source="pagerduty_change",
        id=identifier,
        service=prose(told, "service") or prose(payload, "component") or prose(payload, "source"),
        at=min(at or received_at, received_at),
        ended=True,
        failed=any(prose(told, name).lower() in BADLY for name in OUTCOMES),
        resource=prose(payload, "source"),
        version=_revision(told) or f"{summary[:SHOWN]} ({identifier[:8]})",
        by=prose(payload, "source"),
        claimed=True,
    )
    return Parsed((), notes=(f"a change of {change.service or 'no service'}: recorded",), changes=(change,))


def _summary(payload: Mapping[str, Any]) -> str:
    summary = prose(payload, "summary")
    if not summary:
        raise Unparseable("payload.summary is missing", field="payload.summary")
    if len(payload["summary"]) > LONGEST:
        raise Unparseable(f"payload.summary is longer than {LONGEST} characters", field="payload.summary")
    return summary


def _identifier(payload: Mapping[str, Any], at: datetime) -> str:
    """A digest of the event: sent twice it is one change, and sent for two services the same change of both."""
    said = json.dumps([payload, at.isoformat()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _revision(details: Mapping[str, Any]) -> str:
    return next((prose(details, name)[:SHOWN] for name in REVISIONS if isinstance(details.get(name), str)), "")


_DEPLOYED: Mapping[str, Any] = {
    "routing_key": "0123456789abcdef0123456789abcdef",
    "payload": {
        "summary": "orders 3b18e5 is in production",
        "source": "deployer-1.example.com",
        "timestamp": "2026-01-15T10:00:02.315+0000",
        "custom_details": {"service": "orders", "revision": "3b18e5", "build_state": "passed"},
    },
    "links": [{"href": "https://ci.example.com/builds/2", "text": "build 2"}],
}

SOURCE = Source(
    name="pagerduty_change",
    reference="https://developer.pagerduty.com/docs/events-api-v2/send-change-events/",
    parse=parse,
    authentication=RoutingKey(),
    media_types=("*",),
    shares="pagerduty",
    examples=(
        Example("a deployment with everything", _DEPLOYED, ()),
        Example("nothing but a summary", {"payload": {"summary": "A secret was rotated"}}, ()),
    ),
)
