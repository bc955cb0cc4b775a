"""The synthetic alert: each minute one walks API, `receive`, queue and `consume`; that none arrives is an alarm.

It proves that it is ours by a label that only who holds the secret can make, and for this one delivery: whatever else
is labelled `synthetic` is an alert like any other.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import replace

from incident_bot import plugins
from incident_bot.domain.errors import Invalid, NotFound, Unavailable
from incident_bot.sources import Parsed
from incident_bot.world import World

SOURCE = "generic"
OURS = "incident-bot"  # the source of what is proven to be ours; no source that a team describes is called so
LABEL = "synthetic"
SECONDS = 5.0


def send(world: World) -> None:
    """Send ourselves a webhook as any sender would, through the front door and signed.

    A rule of EventBridge cannot: it holds no secret that signs a body. Raises Unavailable where the front did not take
    it, NotFound where the source has no secret yet.
    """
    if not world.api_url:
        return
    authentication = plugins.source(SOURCE).authentication
    if authentication is None:
        raise Unavailable(f"the source {SOURCE} takes no webhooks")
    secret, delivery = world.secrets.values(f"webhooks/{SOURCE}")[0], f"synthetic-{world.new_id()}"
    alert = {"title": "Synthetic alert", "status": "firing", "key": "synthetic"}
    body = json.dumps({**alert, "labels": {LABEL: proof(secret, delivery)}}).encode()
    headers = authentication.sign(body, secret, world.now(), delivery)
    url = f"{world.api_url.rstrip('/')}/v1/webhooks/{SOURCE}"
    answer = world.http.post(url, headers=headers, body=body, timeout_seconds=SECONDS)
    if answer.status != 202:
        raise Unavailable(f"our own webhook answered {answer.status}")


def marked(world: World, source: str, delivery: str, parsed: Parsed) -> Parsed:
    """What was delivered; the synthetic alert is of the source `OURS` from then on.

    Raises only Unavailable and Denied: where the secret is gone since, nothing is believed and nobody paged, and what
    is sent again is authenticated anew.
    """
    if source != SOURCE or len(parsed.alerts) != 1 or LABEL not in parsed.alerts[0].labels:
        return parsed
    (alert,), given = parsed.alerts, parsed.alerts[0].labels[LABEL].encode(errors="replace")
    ours = any(hmac.compare_digest(given, proof(secret, delivery).encode()) for secret in _secrets(world))
    return replace(parsed, alerts=(replace(alert, source=OURS),)) if ours else parsed


def _secrets(world: World) -> Sequence[str]:
    try:
        return world.secrets.values(f"webhooks/{SOURCE}")
    except (NotFound, Invalid) as gone:
        raise Unavailable(f"the secret changed since the sender proved itself: {gone.reason}") from gone


def proof(secret: str, delivery: str) -> str:
    """What only who holds the secret can say of that delivery."""
    return hmac.digest(secret.encode(), f"synthetic alert {delivery}".encode(), hashlib.sha256).hex()
