"""The actor's turn: what an incident's execution does with its mailbox between two steps."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

from incident_bot.actor import execution
from incident_bot.domain.advance import Advance, advance
from incident_bot.domain.alert import Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.deliberation import Look
from incident_bot.domain.errors import Conflict
from incident_bot.domain.incident import ActionState, Incident, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.series import Series, firing_of
from incident_bot.domain.timeline import Line
from incident_bot.ingest.signals import deadline
from incident_bot.state import actions, approvals, heads, incidents, intents, mailbox, series
from incident_bot.state.actions import Remediation
from incident_bot.world import World

MAILS_PER_TURN = 40  # each is a timeline entry or two of the turn's one transaction, which holds a hundred
WAKES_PER_GENERATION = 500  # an execution's history ends at 25,000 events
LONGEST_DELAY = timedelta(minutes=15)
TRIES = 6


def owned(world: World, event: Mapping[str, Any]) -> Incident | None:
    """The incident of a stage's event, or None where another generation owns it by now."""
    incident = incidents.read(world.store, event["incident"])
    return incident if incident.generation == event["generation"] else None


def cleared(incident: Incident, step: str) -> Incident:
    """The incident without that step (the state that does it calls this when it is done)."""
    return replace(incident, step=None) if incident.step and incident.step.name == step else incident


def park(world: World, incident: Incident | None, token: str) -> None:
    """Leave the token in the box, or use it at once where mail, a step or a deadline waits (or nobody owns it)."""
    if incident is None:
        return world.machines.wake(token)
    box = mailbox.read(world, incident)
    seconds = _until_due(world, incident)
    due = rfc3339(incident.next_due) if incident.next_due and seconds else ""
    busy = incident.step is not None or execution.due_at(incident, world.now()) or incident.finished
    if busy or not mailbox.park(world, incident, replace(box, reminded=due), token):
        return world.machines.wake(token)
    if due and (due != box.reminded or seconds <= execution.EARLY.total_seconds()):
        world.queue.send([deadline(incident.id)], delay_seconds=seconds)
    return None


def decide(world: World, incident: Incident, done: str = "") -> dict[str, Any]:
    """Take the mail, decide, commit, trim the box; hands out a step that was not cleared before it reads mail."""
    for _ in range(TRIES):
        if done:
            incident = replace(incident, step=None) if incident.step and incident.step.name == done else incident
        elif incident.step:
            return _order(incident, incident.step)
        if incident.wakes >= WAKES_PER_GENERATION:
            return _hand_over(world, incident)
        try:
            return _turn(world, incident)
        except Conflict:
            incident, generation = incidents.read(world.store, incident.id), incident.generation
            if incident.generation != generation:
                return {"step": "End", "reason": "another generation owns the incident"}
    raise Conflict(f"incident {incident.id} changed {TRIES} times while its next step was decided")


def _turn(world: World, before: Incident) -> dict[str, Any]:
    box = mailbox.read(world, before)
    mails = box.mails[:MAILS_PER_TURN]
    whole = len(mails) == len(box.mails)
    if box.looks and whole:
        mails = (*mails, Mail(MailKind.EVERYTHING, world.now(), actor="mailbox", number=box.number))
    turn = advance(before, mails, _look(world, before, mails), world.team, world.now())
    after = _commit(world, before, turn)
    if mails and whole:
        mailbox.trim(world, after, box)
    if turn.step is None:
        return {"step": "Await", "reason": "nothing is to be done now"}
    return _order(after, turn.step)


def _commit(world: World, before: Incident, turn: Advance) -> Incident:
    known = {intent.name: intent for intent in intents.of(world.store, before.id)} if turn.intents else {}
    writes = [intents.changing(intent, known.get(intent.name), world.now()) for intent in turn.intents]
    lines = list(turn.lines)
    if turn.step and turn.step.name in ("Remediate", "Close"):
        lines.append(Line("decision", f"next: {turn.step.name.lower()} {turn.step.action}".rstrip(), turn.step.reason))
    return incidents.commit(world, before, turn.incident, lines, writes)


def _order(incident: Incident, step: Step) -> dict[str, Any]:
    """The step as the state machine takes it; a remediation's execution is named after action, purpose and attempt."""
    order: dict[str, Any] = {"step": step.name, "reason": step.reason}
    if step.action:
        attempt = incident.actions[step.action].attempts
        execution_name = f"{step.action}-{step.purpose}-{attempt}"
        order |= {"action": step.action, "purpose": step.purpose, "attempt": attempt, "execution": execution_name}
    return order


def _hand_over(world: World, incident: Incident) -> dict[str, Any]:
    fresh = replace(incident, wakes=0)
    execution.restart(world, fresh, f"the execution handed over after {WAKES_PER_GENERATION} wakes")
    return {"step": "End", "reason": "handed over to the next generation"}


def _look(world: World, incident: Incident, mails: tuple[Mail, ...]) -> Look:
    """Read from the table what this mail and these deadlines need, and no more."""
    kinds = {mail.kind for mail in mails}
    groups = {mail.argument for mail in mails if mail.kind is MailKind.MOVED_IN}
    count = MailKind.EVERYTHING in kinds or _listed_none_left(incident, mails)
    whole = _series(world, incident) if groups or count else []
    here = {s.fingerprint: firing_of(s) for s in whole}
    return Look(
        intents=intents.of(world.store, incident.id),
        moved={group: {f: s for f, s in here.items() if s.group == group} for group in groups},
        everything=here if count else None,
        actions=_standing(world, incident, mails),
    )


def _standing(world: World, incident: Incident, mails: tuple[Mail, ...]) -> dict[str, ActionState]:
    """How the actions stand that mail names, or whose request for approval ran out just now."""
    named = [m.argument for m in mails if m.kind is MailKind.PROPOSE]
    named += [approvals.read(world.store, m.argument).action for m in mails if m.kind is MailKind.APPROVAL]
    deadline_of_requests = incident.clocks.get("approval")
    if deadline_of_requests and deadline_of_requests <= world.now():
        waiting = {name: s.approval for name, s in incident.actions.items() if s.state == "proposed" and s.approval}
        named += [name for name, approval in waiting.items() if approvals.expire(world, approval)]
    return {name: _action_state(actions.read(world.store, name)) for name in dict.fromkeys(named)}


def _action_state(found: Remediation) -> ActionState:
    return ActionState(
        action=found.action,
        target=found.plan.steps[0].target if found.plan.steps else "",
        state=found.state,
        playbook=found.playbook,
        digest=found.digest,
        approval=found.approval,
        lift_after_seconds=found.lift_after_seconds,
    )


def _listed_none_left(incident: Incident, mails: tuple[Mail, ...]) -> bool:
    """Whether an incident with more series than it lists has seen the last of the listed ones end."""
    ended = {m.argument for m in mails if m.kind is MailKind.ALERT and m.detail.get("status") == Status.RESOLVED}
    return incident.many and not set(incident.firing) - ended


def _series(world: World, incident: Incident) -> list[Series]:
    """Every firing series that belongs to the incident, by the head where its group is there."""
    groups = heads.read(world.store, incident.scope).groups
    found = series.firing(world.store, incident.scope)
    return [s for s in found if (groups[s.group].incident if s.group in groups else s.incident) == incident.id]


def _until_due(world: World, incident: Incident) -> int:
    """Whole seconds until its next deadline where that is near: then it is also a delayed message, of which (or of
    `sweep`) either suffices; 0 where it is not, or has none."""
    at = incident.next_due
    if at is None or at - world.now() > LONGEST_DELAY:
        return 0
    return min(max(1, ceil((at - world.now()).total_seconds())), 900)
