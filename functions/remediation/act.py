"""Act: carry out, undo or lift a remediation on the target whose turn it is, with credentials made for it alone."""

from collections.abc import Mapping
from typing import Any

from incident_bot import remedy
from incident_bot.stage import stage
from incident_bot.world import World


def act(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers with what comes next (settle, undo, check, wait, release, ended) and after how many seconds."""
    return remedy.act(world, event)


handler = stage(act)
