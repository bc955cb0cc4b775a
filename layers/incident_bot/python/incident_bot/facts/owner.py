"""Who owns the service and who of them is on call right now."""

from incident_bot.domain.clock import rfc3339
from incident_bot.domain.incident import Incident
from incident_bot.domain.rota import names, recipients
from incident_bot.facts import Fact, Finding
from incident_bot.state import overrides
from incident_bot.world import World


def gather(incident: Incident, world: World) -> Finding | None:
    """The owning team and the people of its first escalation step, after overrides; None where nobody owns it."""
    service = world.team.services.get(incident.service)
    owner = service.owner if service else world.team.default_group
    group = world.team.groups.get(owner)
    if group is None:
        return None
    now = world.now()
    rotas = [name.removeprefix("rota:") for step in group.steps for name in step.notify if name.startswith("rota:")]
    standing_in = overrides.of(world.store, rotas, now)
    people = recipients(group.steps[0], world.team, now, standing_in).people if group.steps else ()
    on_call = names(people, world.team) or "nobody"
    because = f"{service.name} (tier {service.tier})" if service else f"{incident.service}, which nobody configured,"
    value = {"group": owner, "on_call": list(people), "tier": service.tier if service else None}
    return Finding(f"{because} belongs to {owner}; on call: {on_call}", value, rfc3339(now))


FACT = Fact(name="owner", reads="config/services.yaml, config/people.yaml and the rotas' overrides", gather=gather)
