"""Credentials for one step: the action's role, narrowed to that step's target, in the name of whoever approved it."""

import json
from collections.abc import Mapping
from typing import Any

from incident_bot.actions import Action
from incident_bot.domain.errors import Refused
from incident_bot.state.actions import Remediation
from incident_bot.world import Clients, World

LONGEST = 2048  # characters that STS takes as an inline session policy
NOBODY = "guardrails"


def session_policy(action: Action, target: str) -> Mapping[str, Any]:
    """What the action's role may do for this one step; Refused where STS would not take it."""
    statements = [
        {"Effect": "Allow", "Action": list(permission.actions), "Resource": list(permission.resources)}
        for permission in action.permissions(target)
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    size = len(json.dumps(document, separators=(",", ":")))
    if size > LONGEST:
        reason = f"the session policy for {target} has {size} characters, STS takes {LONGEST}"
        raise Refused(reason, rule="session policy", status=409)
    return document


def assume(world: World, remediation: Remediation, action: Action, target: str) -> Clients:
    """Clients that may change that target and nothing else; CloudTrail shows incident, plan and approvers."""
    people = remediation.approvers
    tags = {"incident": remediation.incident, "digest": remediation.digest}
    if len(people) > 1:
        tags["approver2"] = people[1]
    return world.roles.assume(
        action.name,
        policy=session_policy(action, target),
        tags=tags,
        source_identity=people[0] if people else NOBODY,
    )
