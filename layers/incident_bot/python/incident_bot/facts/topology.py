"""What the service depends on and what depends on it: where the fault may come from and whom else it may reach."""

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.incident import Incident
from incident_bot.facts import Fact, Finding
from incident_bot.world import World


def gather(incident: Incident, world: World) -> Finding | None:
    """Its direct dependencies and dependents by name; None for a service that is not configured."""
    service = world.team.services.get(incident.service)
    if service is None:
        return None
    needs = sorted(service.depends_on)
    serves = sorted(other.name for other in world.team.services.values() if service.name in other.depends_on)
    depend = "depend" if len(serves) > 1 else "depends"
    text = f"{service.name} depends on {_listed(needs)}; {_listed(serves)} {depend} on it"
    return Finding(text, {"depends_on": needs, "dependents": serves}, rfc3339(world.now()))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


FACT = Fact(name="topology", reads="config/services.yaml", gather=gather, ttl_seconds=3600)
