"""A generic webhook for any receiver: one JSON document, signed as Standard Webhooks says.

The body is described by `docs/webhook-message.schema.json`. `webhook-id` is the message's key, so a receiver that keeps
the ids it has seen takes a repeat without effect.
"""

import binascii
import json
from collections.abc import Sequence

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from incident_bot.channels import Channel, Delivery, taken
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import Refused
from incident_bot.domain.message import Message
from incident_bot.domain.plaintext import line, plain
from incident_bot.domain.team import ChannelSettings
from incident_bot.world import World


def send(message: Message, key: str, settings: ChannelSettings, world: World, timeout_seconds: float) -> Delivery:
    """Post the message, signed with the team's own secret or else the channel's (with both while it rotates)."""
    if not settings.url:
        raise Refused("no URL is configured for the webhook channel", rule="webhook", status=409)
    secrets = (key,) if key else world.secrets.values(settings.secret) if settings.secret else ()
    body = json.dumps(document(message, rfc3339(world.now())), ensure_ascii=False)
    at = world.now()
    headers = {
        "content-type": "application/json",
        "webhook-id": message.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(webhook.sign(message.key, at, body) for webhook in _signers(secrets)),
    }
    response = world.http.post(settings.url, headers=headers, body=body.encode(), timeout_seconds=timeout_seconds)
    taken("the webhook receiver", response)
    return Delivery(message.key)


def document(message: Message, sent_at: str) -> dict[str, object]:
    """The body that a receiver gets; every text in it is inert."""
    return {
        "version": 1,
        "type": f"incident.{message.kind}",
        "id": message.key,
        "sent_at": sent_at,
        "incident": message.incident,
        "dedup_key": message.thread,
        "severity": message.severity.label,
        "service": line(message.service),
        "title": line(message.title),
        "text": plain(message.text),
        "to": list(message.to),
        "links": [{"text": line(text, 100), "href": href} for text, href in message.links.items()],
        "details": {line(name, 50): plain(text) for name, text in message.details.items()},
    }


def _signers(secrets: Sequence[str]) -> list[Webhook]:
    if not secrets:
        raise Refused("the webhook channel has no secret to sign with", rule="webhook", status=409)
    try:
        return [Webhook(secret) for secret in secrets]
    except (binascii.Error, ValueError, EmptyWebhookSecretError) as wrong:
        raise Refused("the webhook's secret is not a Standard Webhooks secret", rule="webhook", status=409) from wrong


CHANNEL = Channel(
    name="webhook",
    reference="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    send=send,
    deduplicates=True,
)
