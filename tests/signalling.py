"""Queue records as SQS would hand them to `consume`, and a look at what came of them."""

import json
from typing import Any

from incident_bot.domain.alert import Alert
from incident_bot.domain.incident import Incident
from incident_bot.domain.shape import dump
from incident_bot.ingest import signals
from incident_bot.state import incidents
from incident_bot.virtual.world import VirtualWorld


def a_record(world: VirtualWorld, *alerts: Alert, delivery: str = "d1") -> dict[str, Any]:
    """One message of `receive` with those alerts, as an SQS record of the same id."""
    dumped = [json.dumps(dump(alert)) for alert in alerts]
    (body,) = signals.packed(alerts[0].source, delivery, world.now(), dumped)
    return {"messageId": delivery, "body": body}


def a_batch(*records: dict[str, Any]) -> dict[str, Any]:
    """An invocation of `consume`."""
    return {"Records": list(records)}


def all_incidents(world: VirtualWorld) -> list[Incident]:
    """Every incident, oldest first."""
    found = [incidents.read(world.store, key[0].removeprefix("INC#")) for key in world.store.opened()]
    return sorted(found, key=lambda incident: (incident.opened_at, incident.id))


def the_incident(world: VirtualWorld) -> Incident:
    """The only incident there is."""
    (found,) = all_incidents(world)
    return found


def turn_of(incident: Incident) -> dict[str, Any]:
    """The event by which the incident's execution invokes a stage."""
    return {"incident": incident.id, "generation": incident.generation}


def pages(world: VirtualWorld) -> list[dict[str, Any]]:
    """The PagerDuty triggers that were sent."""
    return [request.json for request in world.http.sent if request.json.get("event_action") == "trigger"]
