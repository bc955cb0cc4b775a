"""Await's worker: park the execution's token while there is nothing to do, and decide the next step when there is."""

from collections.abc import Mapping
from typing import Any

from incident_bot.actor.turn import decide, owned, park
from incident_bot.stage import stage
from incident_bot.world import World


def advance(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """With a `token`: park it, or wake at once where there is something to do. Without: decide the next step.

    Returns what the state machine needs: {"step", "action", "purpose", "execution", "reason"}; `step` is Await where
    nothing is to be done and End where this execution has nothing to do any more.
    """
    incident = owned(world, event)
    if token := event.get("token"):
        park(world, incident, token)
        return {}
    if incident is None:
        return {"step": "End", "reason": "another generation owns the incident"}
    return decide(world, incident, done=event.get("done", ""))


handler = stage(advance)
