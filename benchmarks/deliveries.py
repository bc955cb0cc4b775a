"""Deliveries for measuring: n alerts of one moment, distinct or again, as the HTTP API and SQS hand them over."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from benchmarks.generator import Spell, a_team, notification
from functions.ingest.receive import receive
from incident_bot import plugins
from incident_bot.domain.clock import rfc3339
from incident_bot.ingest import synthetic as synthetic_alert
from incident_bot.virtual.world import VirtualWorld, virtual_world
from incident_bot.world import Put

SEED = 1
SECRET = "token-of-alertmanager"
SIGNING = "whsec_YmVuY2htYXJrIGJlbmNobWFyayE="
HEADERS = {"content-type": "application/json", "authorization": f"Bearer {SECRET}"}
SERVICES = sorted(a_team(SEED).services)
_numbers = count()


def a_world() -> VirtualWorld:
    """A world without incidents whose automation is switched on."""
    secrets = {
        "webhooks/alertmanager": (SECRET,),
        "webhooks/generic": (SIGNING,),
        "channels/webhook/platform": (SECRET,),
    }
    world = virtual_world(a_team(SEED), secrets=secrets)
    world.http.answer("", 202)
    world.store.write([Put({"PK": "CONTROL", "SK": "KILL", "on": False})])
    return world


def alerts(number: int, first: int = 0) -> list[dict[str, Any]]:
    """So many series: pods of forty services under one name."""
    return [_spell(place).alert(0.0) for place in range(first, first + number)]


def _spell(place: int) -> Spell:
    service = SERVICES[place % len(SERVICES)]
    return Spell(service, "HighErrorRate", f"{service}-{place}", "warning", 0.0, 3600.0)


def critical() -> dict[str, Any]:
    """An alert that pages: Sev1 of a service of the first tier."""
    return Spell(SERVICES[0], "HighErrorRate", f"{SERVICES[0]}-0", "critical", 0.0, 3600.0).alert(0.0)


def ended(alert: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The same alert, resolved."""
    return {**alert, "status": "resolved", "endsAt": rfc3339(at)}


def request(batch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The delivery as the HTTP API hands it to `receive`."""
    return posted(json.dumps(notification(batch)))


def posted(body: str, source: str = "alertmanager", headers: Mapping[str, str] = HEADERS) -> dict[str, Any]:
    """Any body, posted to a source's webhook."""
    return {
        "rawPath": f"/v1/webhooks/{source}",
        "requestContext": {"requestId": f"r{next(_numbers)}", "http": {"method": "POST"}},
        "headers": headers,
        "body": body,
        "isBase64Encoded": False,
    }


def synthetic(at: datetime) -> dict[str, Any]:
    """The alert that walks the whole front each minute."""
    labels = {synthetic_alert.LABEL: synthetic_alert.proof(SIGNING, "heartbeat")}
    alert = {"title": "heartbeat", "status": "firing", "occurred_at": rfc3339(at), "labels": labels}
    body = json.dumps(alert)
    authentication = plugins.source("generic").authentication
    assert authentication is not None
    return posted(body, "generic", authentication.sign(body.encode(), SIGNING, at, "heartbeat"))


def messages(world: VirtualWorld, batch: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The delivery as SQS hands it to `consume`, once `receive` has taken it in."""
    receive(world, request(batch))
    return taken(world)


def taken(world: VirtualWorld) -> list[dict[str, Any]]:
    """What waits in the queue, off it."""
    waiting = world.queue.visible()
    for message in waiting:
        world.queue.delete(message)
    return [{"messageId": message.id, "body": message.body} for message in waiting]
