"""Claiming: everything that must hold before the first call, checked afresh, and taken in one transaction.

Locks, approval, budget, journal and the head's mark are one write: whoever loses any of them has claimed nothing.
"""

from typing import Any

from incident_bot.domain import journal
from incident_bot.domain.errors import Conflict, IncidentBotError, Refused
from incident_bot.domain.journal import FORWARD, Entry, Kind
from incident_bot.domain.policy import Verdict
from incident_bot.remedy import credentials
from incident_bot.remedy.judging import judge, playbook_of, policy_of
from incident_bot.remedy.running import Run
from incident_bot.state import actions, approvals, budgets, heads, locks
from incident_bot.state.locks import Lock
from incident_bot.world import Write

TRIES = 5


class Busy(Exception):
    """A target is locked by somebody else; the incident was registered to be told when it is free."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def claim(run: Run) -> None:
    """Open the journal. Raises Refused (nothing holds any more), Busy, or Conflict (another worker was first)."""
    for _ in range(TRIES):
        _refuse_what_changed(run)
        approvers, claiming = _approval(run)
        # Locks are asked first: while another incident works on a target, it is no wonder that it has drifted.
        taking = _locks(run)
        if taking is None:
            continue
        try:
            _refuse_policy(run)
            _refuse_drift(run)
        except Refused:
            if _locks(run) is None:  # Busy, where somebody took one meanwhile: that explains what changed
                continue
            raise
        try:
            _open(run, [*taking, *claiming, *_budget(run)], approvers)
        except Conflict:
            fresh = actions.read(run.world.store, run.remediation.id)
            if fresh.fence != run.remediation.fence or fresh.journal_head != run.remediation.journal_head:
                raise
            run.remediation = fresh
            continue
        return
    raise Conflict(f"{run.remediation.id} could not be claimed in {TRIES} tries")


def hold(run: Run) -> None:
    """Take (or keep) the locks for putting back, and mark the incident as acting again."""
    remediation, world = run.remediation, run.world
    for _ in range(TRIES):
        taking = _locks(run)
        if taking is None:
            continue
        marked = heads.action_started(remediation.scope, remediation.incident, remediation.id)
        try:
            world.store.write([*taking, marked])
        except Conflict:
            continue
        return
    raise Conflict(f"the locks of {remediation.id} could not be taken in {TRIES} tries")


def _open(run: Run, claims: list[Write], approvers: tuple[str, ...]) -> None:
    remediation, world = run.remediation, run.world
    who = ", ".join(approvers) or credentials.NOBODY
    text = f"claimed, approved by {who}; plan {remediation.digest}"
    entry = Entry(0, world.now(), remediation.run, Kind.OPENED, text)
    fields: dict[str, Any] = {"state": "running", "approvers": approvers}
    after, update = actions.noting(world, remediation, [entry], **fields)
    marked = heads.action_started(remediation.scope, remediation.incident, remediation.id)
    world.store.write([update, *claims, marked])
    run.remediation = after


def _locks(run: Run) -> list[Write] | None:
    """The writes that take the locks; Busy where others hold one; None where it came free in between."""
    remediation, world = run.remediation, run.world
    writes, others = locks.taking(world, remediation.plan.targets, remediation.incident, remediation.id)
    if not others:
        return writes
    waiting = [locks.wait_for(world, other, remediation.incident) for other in others]
    if not all(waiting):
        return None
    raise Busy("; ".join(f"{other.target} is locked by {_holder(other)}" for other in others))


def _holder(lock: Lock) -> str:
    return f"incident {lock.incident} ({', '.join(lock.holders)})"


def _refuse_what_changed(run: Run) -> None:
    remediation = run.remediation
    if remediation.plan.digest != remediation.digest:
        raise Refused("the plan is not the one that was judged", rule="digest", status=409)
    for step in remediation.plan.steps:
        credentials.session_policy(run.action, step.target)


def _approval(run: Run) -> tuple[tuple[str, ...], list[Write]]:
    """Who approved, and the write that takes the approval up; Refused where it does not hold (any more)."""
    remediation = run.remediation
    if not remediation.approval:
        return (), []
    approval = approvals.read(run.world.store, remediation.approval)
    if approval.state != "approved":
        raise Refused(f"approval {approval.id} is {approval.state}", rule="approval", status=409)
    if run.world.now() >= approval.expires_at:
        raise Refused(f"the time of approval {approval.id} was over before it ran", rule="expired", status=410)
    if approval.digest != remediation.digest or approval.action != remediation.id:
        raise Refused("the approval is for another plan", rule="digest", status=409)
    return approval.approvers, [approvals.claiming(approval, f"{remediation.id}-{remediation.run}")]


def _refuse_policy(run: Run) -> None:
    """The policy must be the one it was decided under, and must still not deny it."""
    remediation, world = run.remediation, run.world
    now = policy_of(world, remediation.action, remediation.service, remediation.playbook)
    if now != remediation.policy:
        raise Refused("the guardrails changed since this was decided", rule="policy changed", status=409)
    service, playbook = world.team.services.get(remediation.service), playbook_of(world, remediation.playbook)
    decision = judge(world, remediation.plan, service, playbook, requester=remediation.requester)
    if decision.verdict is Verdict.DENY:
        raise Refused(decision.reason, rule=decision.rule, status=409)
    if decision.verdict is Verdict.ASK and not remediation.approval:
        raise Refused(f"it needs an approval by now: {decision.reason}", rule=decision.rule, status=409)


def _refuse_drift(run: Run) -> None:
    """Every target must be what it was when this was planned."""
    for step, planned in enumerate(run.remediation.plan.steps):
        if journal.standing(run.entries, step, FORWARD).tried:
            continue
        try:
            seen = run.look(step)
        except IncidentBotError as error:
            raise Refused(f"{planned.target} could not be read: {error.reason}", rule="drift", status=409) from error
        if seen != "not applied":
            raise Refused(f"{planned.target} is {seen}: not what it was when planned", rule="drift", status=409)


def _budget(run: Run) -> list[Write]:
    remediation, world = run.remediation, run.world
    spent = budgets.spent(world, remediation.action, remediation.plan.targets)
    per_hour = world.team.guardrails.limits_of(remediation.action).per_hour
    return [*budgets.spending(world, remediation.action, remediation.plan.targets, spent, per_hour)]
