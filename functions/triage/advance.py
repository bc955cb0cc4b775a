"""Advance: Await's worker takes the mail, decides, tells people, and parks the token or says which state is next."""

from collections.abc import Mapping
from typing import Any

from incident_bot.actor.turn import rest, take
from incident_bot.stage import stage
from incident_bot.world import World


def advance(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """With a `token`: do what is to be done, then park the token; it is used at once where another state is to go on,
    which it names. Without (from executions that began before states were left by name): answer with that state.

    It is {"step", "action", "purpose", "attempt", "execution", "reason"}; `step` is Await where nothing is to be done
    and End where this execution has nothing to do any more.
    """
    if "token" in event:
        rest(world, event)
        return {}
    return take(world, event)


handler = stage(advance)
