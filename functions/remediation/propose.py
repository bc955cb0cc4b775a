"""Propose: plan what a playbook says, ask the guardrails, and begin, ask people, or say why neither."""

from collections.abc import Mapping
from typing import Any

from incident_bot.actor.proposals import picked, recorded
from incident_bot.actor.turn import FENCED, owned
from incident_bot.stage import stage
from incident_bot.world import World


def propose(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers {"verdict": allow, ask, deny or none, "action"} and the remediation that begins, as "step" with what it
    needs, or Await; a held page is let go on anything but allow."""
    incident = owned(world, event)
    if incident is None:
        return FENCED
    return recorded(world, incident, picked(world, incident))


handler = stage(propose)
