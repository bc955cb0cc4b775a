"""Decide: take an approval or rejection from the Step Functions console, which cannot tell who gave it."""

from collections.abc import Mapping
from typing import Any

from incident_bot.domain.errors import Invalid, NotFound, Refused
from incident_bot.stage import stage
from incident_bot.state import approvals
from incident_bot.world import World


def decide(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers {"accepted", "reason", "state"}: a refusal is an answer, so that the machine can fail with its reason."""
    given = {name: str(event.get(name) or "") for name in ("approval", "decision", "reason", "digest")}
    via = f"console {event.get('execution', '')}".strip()
    try:
        approval = approvals.decide(
            world, given["approval"], given["decision"], given["reason"], given["digest"], "", via
        )
    except (Invalid, NotFound, Refused) as refused:
        return {"accepted": False, "reason": refused.reason, "state": ""}
    return {"accepted": True, "reason": f"recorded: {given['decision']}", "state": approval.state}


handler = stage(decide)
