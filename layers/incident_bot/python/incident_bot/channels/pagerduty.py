"""PagerDuty by its Events API v2: trigger, acknowledge and resolve, deduplicated by the message's thread."""

import json
from collections.abc import Mapping
from typing import Any

from incident_bot.channels import Channel, Delivery, taken
from incident_bot.domain.alert import Severity
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import Refused
from incident_bot.domain.message import Kind, Message
from incident_bot.domain.plaintext import line, plain
from incident_bot.domain.team import ChannelSettings
from incident_bot.world import World

DEFAULT_URL = "https://events.pagerduty.com"
SUMMARY_LIMIT = 1024
DEDUP_KEY_LIMIT = 255
ACCEPTED = range(202, 203)
SEVERITIES: Mapping[Severity, str] = {
    Severity.SEV1: "critical",
    Severity.SEV2: "error",
    Severity.SEV3: "warning",
    Severity.SEV4: "info",
    Severity.SEV5: "info",
}


def send(message: Message, key: str, settings: ChannelSettings, world: World, timeout_seconds: float) -> Delivery:
    """Enqueue one event under the team's integration key; the reference is its dedup key."""
    if message.kind is Kind.UPDATE:
        raise Refused("PagerDuty has no event that tells without waking", rule="pagerduty", status=409)
    if not key:
        raise Refused("the team has no PagerDuty integration key", rule="pagerduty", status=409)
    event = _event(message, key, rfc3339(world.now()))
    response = world.http.post(
        f"{(settings.url or DEFAULT_URL).rstrip('/')}/v2/enqueue",
        headers={"content-type": "application/json"},
        body=json.dumps(event).encode(),
        timeout_seconds=timeout_seconds,
    )
    taken("PagerDuty", response, accepted=ACCEPTED)
    return Delivery(event["dedup_key"])


def _event(message: Message, key: str, at: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "routing_key": key,
        "event_action": str(message.kind),
        "dedup_key": message.thread[:DEDUP_KEY_LIMIT],
        "client": "Incident Bot",
    }
    if message.kind is not Kind.TRIGGER:
        return event
    if "Incident" in message.links:
        event["client_url"] = message.links["Incident"]
    if message.links:
        event["links"] = [{"href": href, "text": line(text, 100)} for text, href in message.links.items()]
    details = {line(name, 50): plain(text) for name, text in message.details.items()}
    event["payload"] = {
        "summary": line(message.title, SUMMARY_LIMIT) or message.incident,
        "source": line(message.service, 255) or message.incident,
        "severity": SEVERITIES[message.severity],
        "timestamp": at,
        "component": line(message.service, 255),
        "group": line(message.details.get("team", ""), 255),
        "class": line(message.details.get("purpose", ""), 255),
        "custom_details": {**details, "to": ", ".join(message.to), "message": plain(message.text)},
    }
    return event


CHANNEL = Channel(
    name="pagerduty",
    reference="https://developer.pagerduty.com/docs/events-api-v2/overview/",
    send=send,
    deduplicates=True,
    default_url=DEFAULT_URL,
)
