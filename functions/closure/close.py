"""Close: draft the postmortem of what was resolved; the execution ends here, or stays for what is in force."""

from collections.abc import Mapping
from typing import Any

from incident_bot.actor.draft import draft
from incident_bot.actor.turn import owned
from incident_bot.stage import stage
from incident_bot.state import incidents
from incident_bot.world import World


def close(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Returns {"drafted": bool}; drafted again, it is written anew from what is on the record by then."""
    incident = owned(world, event)
    if incident is None:
        return {"drafted": False}
    if incident.over:
        draft(world, incident)
    incidents.commit(world, incident, incident.drafted)  # so does what was ordered and is not over: it is decided anew
    return {"drafted": incident.over}


handler = stage(close)
