"""Remediations: one file is one action and declares everything about it in one `Action` named ACTION.

Actions are convergent ("set alias to v41"), never relative, so that any step may be repeated; each has an exact inverse
made from the state before, and touches only the failing element.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from incident_bot.domain.plan import Call, Plan
from incident_bot.domain.team import Resource
from incident_bot.permission import Permission
from incident_bot.world import Clients

APPLIED, NOT_APPLIED, DRIFTED = "applied", "not applied", "drifted"


@dataclass(frozen=True, slots=True)
class Want:
    """What an action is asked to plan.

    `targets` in the order they are to be touched, the playbook's `parameters`, and `peers`: everything of the kind that
    the service has, against which the share of capacity is measured.
    """

    targets: tuple[Resource, ...]
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    peers: tuple[Resource, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One remediation.

    `plan(want, clients)` reads the world and returns, for each target, the exact calls and their inverse, or raises
    Refused ("there is no earlier version"). `look(call, clients)` reads back what a call would change and says if it is
    "applied", "not applied" or "drifted" (somebody else changed it since the plan). `make(call, clients)` makes it.
    """

    name: str
    does: str  # one sentence for people
    takes: str  # the kind of resource, as CloudFormation names it: AWS::Lambda::Function
    plan: Callable[[Want, Clients], Plan]
    look: Callable[[Call, Clients], str]
    make: Callable[[Call, Clients], None]
    permissions: Callable[[str], tuple[Permission, ...]]  # target ARN -> what the action's role needs for it
    reads: Callable[[str], tuple[Permission, ...]]  # target ARN -> what planning and reading back need
    parameters: Mapping[str, type] = field(default_factory=dict)
    temporary: bool = False  # whether it is a mitigation to be lifted again
    example: Mapping[str, Any] = field(default_factory=dict)


def make(call: Call, clients: Clients) -> None:
    """Make the call exactly as it was planned."""
    getattr(clients.client(call.service), call.operation)(**call.arguments)


def compared(now: Any, call: Call, attribute: str) -> str:
    """What `look` says when one attribute tells: it is what the call makes of it, what it was before, or neither."""
    if now == call.after[attribute]:
        return APPLIED
    return NOT_APPLIED if now == call.before[attribute] else DRIFTED
