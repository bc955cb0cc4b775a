"""The synthetic alert: each minute one walks API, `receive`, queue and `consume`; that none arrives is an alarm."""

import json

from incident_bot import plugins
from incident_bot.domain.errors import Unavailable
from incident_bot.world import World

SOURCE = "generic"
ALERT = {"title": "Synthetic alert", "status": "firing", "key": "synthetic", "labels": {"synthetic": "true"}}
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
    body = json.dumps(ALERT).encode()
    secret = world.secrets.values(f"webhooks/{SOURCE}")[0]
    headers = authentication.sign(body, secret, world.now(), f"synthetic-{world.new_id()}")
    url = f"{world.api_url.rstrip('/')}/v1/webhooks/{SOURCE}"
    answer = world.http.post(url, headers=headers, body=body, timeout_seconds=SECONDS)
    if answer.status != 202:
        raise Unavailable(f"our own webhook answered {answer.status}")
