"""The postmortem draft of a resolved incident: made from the record, kept with the incident and in the archive."""

from incident_bot.domain.incident import Incident
from incident_bot.domain.postmortem import draft as markdown
from incident_bot.state import actions, approvals, facts, incidents, keys
from incident_bot.world import Put, World


def draft(world: World, incident: Incident) -> None:
    """Write the draft; again for the same incident it is written anew from what is on the record by then."""
    text = markdown(
        incident,
        incidents.timeline(world.store, incident.id),
        facts.of(world.store, incident.id),
        actions.of(world.store, incident.id),
        approvals.of(world.store, incident.id),
        world.team,
    )
    pk, sk = keys.postmortem(incident.id)
    world.store.write([Put({"PK": pk, "SK": sk, "markdown": text})])
    world.archive.put(f"postmortems/{incident.id}.md", text.encode(), "text/markdown; charset=utf-8")
