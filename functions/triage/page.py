"""Page: send every message of the incident that is due, and clear the step."""

from collections.abc import Mapping
from typing import Any

from incident_bot import paging
from incident_bot.actor.turn import cleared, owned
from incident_bot.domain.errors import Conflict, IncidentBotError
from incident_bot.stage import stage
from incident_bot.state import incidents, intents
from incident_bot.world import World

BUDGET_SECONDS = 8.0  # for the channels of one message
TRIES = 3


def page(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Send what is due and not held. Returns {"sent": n}; a message that failed is due again, for `sweep` as well.

    A message that cannot even be tried does not keep the others back; it is raised at the end, for a retry.
    """
    incident = owned(world, event)
    if incident is None:
        return {"fenced": True}
    sent, problems = 0, []
    for name in _due(world, incident.id):
        try:
            sent += paging.send(world, incident.id, name, budget_seconds=BUDGET_SECONDS).kind == "sent"
        except IncidentBotError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    _clear(world, event)
    return {"sent": sent}


def _due(world: World, incident: str) -> list[str]:
    """The pending messages, in the order they were written; a page comes before what only tells."""
    due = [i for i in intents.of(world.store, incident) if i.ready(world.now())]
    ordered = sorted(due, key=lambda i: (not i.pages, i.created_at or world.now(), i.name))
    return [intent.name for intent in ordered]


def _clear(world: World, event: Mapping[str, Any]) -> None:
    """Take the step off the incident; somebody else's write in between only means doing it on what is there now."""
    for last in range(TRIES - 1, -1, -1):
        incident = owned(world, event)
        if incident is None or incident.step is None or incident.step.name != "Page":
            return
        try:
            incidents.commit(world, incident, cleared(incident, "Page"))
        except Conflict:
            if not last:
                raise
        else:
            return


handler = stage(page)
