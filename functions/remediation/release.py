"""Release: tell the incident the result, free the remediation's locks and wake who waits for them."""

from collections.abc import Mapping
from typing import Any

from incident_bot import remedy
from incident_bot.stage import stage
from incident_bot.world import World


def release(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers {"released", "outcome"}; only a finished journal is released, any other is left to `sweep`."""
    return remedy.release(world, event)


handler = stage(release)
