"""Where the service's runbook is."""

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.incident import Incident
from incident_bot.facts import Fact, Finding
from incident_bot.world import World


def gather(incident: Incident, world: World) -> Finding | None:
    """The link that the service's owner configured; never one that an alert names."""
    service = world.team.services.get(incident.service)
    if service is None or not service.runbook:
        return None
    return Finding(service.runbook, {"url": service.runbook}, rfc3339(world.now()))


FACT = Fact(name="runbook", reads="config/services.yaml", gather=gather, ttl_seconds=3600)
