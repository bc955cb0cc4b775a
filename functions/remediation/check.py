"""Check: say from the signals of the targets that were touched whether the remediation helped."""

from collections.abc import Mapping
from typing import Any

from incident_bot import remedy
from incident_bot.stage import stage
from incident_bot.world import World


def check(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers with what comes next: settle (look again), rest, undo, release or ended."""
    return remedy.check(world, event)


handler = stage(check)
