"""Guardrails: whether automation may carry out a plan, must ask, or must not; always with the rule that decided.

Unknown is denied: what cannot be looked up, is not configured or cannot be bounded never acts.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from incident_bot.domain.plan import Plan
from incident_bot.domain.shape import dump
from incident_bot.domain.team import Guardrails, Mode, Playbook, Resource, Service

HOUR = timedelta(hours=1)


class Verdict(StrEnum):
    """What the guardrails say."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the rule that decided, and why; where it asks, how many people of which role must approve."""

    verdict: Verdict
    rule: str
    reason: str
    approvers: int = 1
    approver_role: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the decision depends on.

    `mode` is the playbook's effective mode (None for a person's proposal, which always asks). `taken` are the times of
    this action's runs, `last` the time of its last run per target, `failures` how often in a row it did not help there.
    `resuming`: the action is already under way, so limits on how often it may begin no longer apply.
    """

    now: datetime
    plan: Plan
    service: Service | None
    guardrails: Guardrails
    kill_switch: str  # why it is on; empty: off
    mode: Mode | None = Mode.MONITOR
    playbook: str = ""
    requester: str = ""
    taken: tuple[datetime, ...] = ()
    last: Mapping[str, datetime] = field(default_factory=dict)
    failures: int = 0
    resuming: bool = False


Rule = Callable[[Situation], Decision | None]


def decide(situation: Situation) -> Decision:
    """The first rule that has something to say decides; denials come first, then questions, then permission."""
    for rule in DENIALS + QUESTIONS:
        decision = rule(situation)
        if decision is not None:
            return decision
    if situation.mode not in (Mode.FULL, Mode.CANARY):
        return _deny("mode", f"nothing lets it act in mode {situation.mode}")
    limits = situation.guardrails.limits_of(situation.plan.action)
    reason = (
        f"{situation.playbook} runs in mode {situation.mode} and every limit holds (share {situation.plan.share:.0%})"
    )
    return Decision(Verdict.ALLOW, "mode", reason, limits.approvers, limits.approver_role)


def fingerprint(guardrails: Guardrails, action: str, service: Service | None, playbook: Playbook | None) -> str:
    """sha256 (hex) of the policy that governs an action; an approval given under another one no longer counts."""
    governing = {
        "limits": dump(guardrails.limits_of(action)),
        "freezes": dump(guardrails.freezes),
        "stop": guardrails.stop_after_failures,
        "environment": service.environment if service else "",
        "owner": service.owner if service else "",
        "playbook": dump(playbook),
    }
    return hashlib.sha256(json.dumps(governing, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def lowest(configured: Mode, earned: Mode | None) -> Mode:
    """The effective mode: configuration is the ceiling, what was earned may only be below it."""
    ladder = list(Mode)
    return configured if earned is None else ladder[min(ladder.index(configured), ladder.index(earned))]


def _deny(rule: str, reason: str) -> Decision:
    return Decision(Verdict.DENY, rule, reason)


def _kill_switch(s: Situation) -> Decision | None:
    return _deny("kill switch", s.kill_switch) if s.kill_switch else None


def _owner(s: Situation) -> Decision | None:
    if s.service is None:
        return _deny("service", "the incident's service is not configured")
    if not s.service.owner:
        return _deny("owner", f"{s.service.name} has no owner")
    return None


def _targets(s: Situation) -> Decision | None:
    resources = _resources(s)
    if not s.plan.steps:
        return _deny("plan", "the plan has no step")
    for step in s.plan.steps:
        resource = resources.get(step.target)
        if resource is None:
            return _deny("target", f"{step.target} is no configured resource of the service")
        if resource.signal is None:
            return _deny("signal", f"no signal tells whether a change of {step.target} helps")
    return None


def _environment(s: Situation) -> Decision | None:
    environment = s.service.environment if s.service else ""
    allowed = s.guardrails.limits_of(s.plan.action).environments
    if environment not in allowed:
        return _deny(
            "environment", f"{s.plan.action} may run in {', '.join(allowed) or 'no environment'}, not {environment}"
        )
    return None


def _freeze(s: Situation) -> Decision | None:
    for freeze in s.guardrails.freezes:
        if freeze.starts <= s.now < freeze.ends:
            return _deny("freeze", f"change freeze {freeze.name}: {freeze.reason}".rstrip(": "))
    return None


def _cost(s: Situation) -> Decision | None:
    limit = s.guardrails.limits_of(s.plan.action).max_cost_usd_per_hour
    if s.plan.cost_usd_per_hour > limit:
        return _deny("cost", f"costs {s.plan.cost_usd_per_hour:.2f} USD an hour, the ceiling is {limit:.2f}")
    return None


def _monitor(s: Situation) -> Decision | None:
    if s.mode is Mode.MONITOR:
        return _deny("mode", f"{s.playbook} only monitors: this is what it would do")
    return None


def _rate(s: Situation) -> Decision | None:
    limit = s.guardrails.limits_of(s.plan.action).per_hour
    recent = sum(1 for at in s.taken if at > s.now - HOUR)
    if recent >= limit and not s.resuming:
        return _deny("rate", f"{s.plan.action} ran {recent} times in the last hour, the limit is {limit}")
    return None


def _cooldown(s: Situation) -> Decision | None:
    cooldown = timedelta(seconds=s.guardrails.limits_of(s.plan.action).cooldown_seconds)
    for target in s.plan.targets:
        last = s.last.get(target)
        if last is not None and s.now < last + cooldown and not s.resuming:
            left = int((last + cooldown - s.now).total_seconds())
            return _deny("cooldown", f"{s.plan.action} ran on {target} a short while ago: not again for {left} s")
    return None


def _failures(s: Situation) -> Decision | None:
    limit = s.guardrails.stop_after_failures
    if s.failures >= limit and not s.resuming and not s.requester:
        return _deny(
            "failures", f"{s.plan.action} did not help here {s.failures} times in a row: a person must propose it"
        )
    return None


def _ask(s: Situation, rule: str, reason: str) -> Decision:
    limits = s.guardrails.limits_of(s.plan.action)
    return Decision(Verdict.ASK, rule, reason, max(limits.approvers, 1), limits.approver_role)


def _requester(s: Situation) -> Decision | None:
    return _ask(s, "requester", f"{s.requester} asked for it, somebody else must approve") if s.requester else None


def _approvers(s: Situation) -> Decision | None:
    limits = s.guardrails.limits_of(s.plan.action)
    if limits.approvers > 1:
        return _ask(s, "approvers", f"{s.plan.action} always needs {limits.approvers} approvers")
    if limits.approver_role:
        return _ask(s, "approvers", f"{s.plan.action} always needs an approver with the role {limits.approver_role}")
    return None


def _share(s: Situation) -> Decision | None:
    limit = s.guardrails.limits_of(s.plan.action).max_share
    if s.plan.share > limit:
        return _ask(s, "blast radius", f"one step touches {s.plan.share:.0%} of the service, more than {limit:.0%}")
    return None


def _mode(s: Situation) -> Decision | None:
    resources = _resources(s)
    if s.mode is Mode.PROPOSE:
        return _ask(s, "mode", f"{s.playbook} only proposes")
    if s.mode is Mode.CANARY and not all(resources[target].canary for target in s.plan.targets):
        return _ask(s, "mode", f"{s.playbook} may touch the canary alone")
    return None


def _resources(s: Situation) -> Mapping[str, Resource]:
    return {resource.arn: resource for resource in (s.service.resources if s.service else ())}


DENIALS: tuple[Rule, ...] = (
    _kill_switch, _owner, _targets, _environment, _freeze, _cost, _monitor, _failures, _rate, _cooldown,
)  # fmt: skip
QUESTIONS: tuple[Rule, ...] = (_requester, _approvers, _share, _mode)
