"""A remediation plan: the exact calls, their inverse and the state before; what an approval is bound to."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incident_bot.domain.shape import dump


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS API call on one target: `service` and `operation` as boto3 names them, `arguments` as it takes them."""

    target: str  # ARN
    service: str
    operation: str
    arguments: Mapping[str, Any]
    before: Mapping[str, Any]  # what the target was when planned: what undo restores and drift is measured against
    after: Mapping[str, Any]  # what it will be


@dataclass(frozen=True, slots=True)
class Step:
    """One target's turn: the call forwards and the one that restores exactly what was there (None: nothing to undo)."""

    target: str
    forward: Call
    inverse: Call | None = None
    cell: str = ""
    canary: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action will do, in order; the canary's step comes first."""

    action: str
    steps: tuple[Step, ...]
    share: float = 1.0  # of the service's capacity one step touches at most (blast radius), 0..1
    cost_usd_per_hour: float = 0.0
    text: str = ""  # for people
    parameters: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """sha256 (hex) of the canonical plan: any other plan has another digest."""
        canonical = json.dumps(dump(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def targets(self) -> tuple[str, ...]:
        """The ARNs it touches, in order."""
        return tuple(step.target for step in self.steps)

    def canaries(self) -> tuple[int, ...]:
        """The steps to be tried first: those marked as canary, or the first one where none is."""
        marked = tuple(i for i, step in enumerate(self.steps) if step.canary)
        return marked or tuple(range(len(self.steps)))[:1]


def by_hand(call: Call, region: str) -> str:
    """The AWS command line that makes this call: what a person types when the bot may not."""
    words = ["aws", _kebab(call.service), _kebab(call.operation)]
    for name, value in call.arguments.items():
        flag = "--" + _kebab(name)
        words += [flag] if value is True else [flag, value if isinstance(value, str) else json.dumps(value)]
    return shlex.join([*words, "--region", region] if region else words)


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()
