"""Triage: classify the incident in full on the record, and repair its first page where `consume` did not get to it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from incident_bot.actor.turn import owned
from incident_bot.domain.classify import pages
from incident_bot.domain.incident import Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import move
from incident_bot.domain.opening import first_page
from incident_bot.domain.timeline import Line
from incident_bot.stage import stage
from incident_bot.state import incidents, intents
from incident_bot.world import World


def triage(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Move a detected incident to triaged. Returns {"triaged": bool}; a later generation finds it done already."""
    incident = owned(world, event)
    if incident is None or (incident.state is not State.DETECTED and "start" not in incident.clocks):
        return {"triaged": False}
    wakes, rule, why = pages(incident.severity, world.team.services.get(incident.service), noise=incident.noise)
    repaired = _repaired_page(world, incident, why) if wakes else None
    lines = [Line("decision", _summary(incident, wakes), why, rule=rule)] if incident.state is State.DETECTED else []
    clocks = {name: at for name, at in incident.clocks.items() if name != "start"}
    state = move(incident.state, State.TRIAGED) if incident.state is State.DETECTED else incident.state
    if state is not incident.state:
        lines.append(Line("state", f"the incident is {state}", "it is classified"))
    after = replace(incident, state=state, clocks=clocks)
    if repaired:
        after = replace(after, step=Step("Page", "the first page was missing"))
        lines.append(Line("decision", "the first page is written now", "it was missing", rule=rule))
    incidents.commit(world, incident, after, lines, [intents.opening(repaired, world.now())] if repaired else [])
    return {"triaged": True}


def _summary(incident: Incident, wakes: bool) -> str:
    owner = incident.owner or "nobody's team"
    return f"{incident.severity.label} of {incident.service} ({owner}), {'pages' if wakes else 'does not page'}"


def _repaired_page(world: World, incident: Incident, why: str) -> Intent | None:
    """The first page, where none was ever written (an incident that was held or silent before)."""
    if incident.over or any(intent.pages for intent in intents.of(world.store, incident.id)):
        return None
    return first_page(incident, why)


handler = stage(triage)
