"""The postmortem draft of a resolved incident: made from the record, kept with the incident and in the archive."""

from incident_bot.domain.incident import Incident
from incident_bot.domain.postmortem import Material
from incident_bot.domain.postmortem import draft as markdown
from incident_bot.state import incidents, intents, keys
from incident_bot.world import Put, World


def draft(world: World, incident: Incident) -> None:
    """Write the draft; again for the same incident it is written anew from what is on the record by then."""
    items = world.store.query(keys.meta(incident.id)[0])
    material = Material(
        timeline=incidents.timeline(world.store, incident.id),
        facts=next((i.get("facts", {}) for i in items if i["SK"] == "FACTS"), {}),
        actions=[i for i in items if i["SK"].startswith("ACTION#")],
        approvals=[i for i in items if i["SK"].startswith("APPROVAL#")],
        intents=intents.of(world.store, incident.id),
        service=world.team.services.get(incident.service),
    )
    text = markdown(incident, material)
    pk, sk = keys.postmortem(incident.id)
    world.store.write([Put({"PK": pk, "SK": sk, "markdown": text})])
    world.archive.put(f"postmortems/{incident.id}.md", text.encode(), "text/markdown; charset=utf-8")
