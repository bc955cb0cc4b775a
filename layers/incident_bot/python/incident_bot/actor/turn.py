"""The actor's turn: what an incident's execution does with its mailbox between two steps.

What needs no more than the incident's own record and its channels is done in the turn: decide, tell people, close. What
needs other rights is a step, and a state of its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

from incident_bot import paging
from incident_bot.actor import execution
from incident_bot.domain.advance import Advance, advance
from incident_bot.domain.alert import Status
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.deliberation import Look
from incident_bot.domain.errors import Conflict
from incident_bot.domain.head import without
from incident_bot.domain.incident import ActionState, Incident, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.series import Series, firing_of
from incident_bot.domain.timeline import Line
from incident_bot.ingest.signals import deadline
from incident_bot.state import actions, approvals, heads, incidents, intents, keys, mailbox, series
from incident_bot.state.actions import Remediation
from incident_bot.world import ABSENT, Check, World, Write

MAILS_PER_TURN = 40  # each is a timeline entry or two of the turn's one transaction, which holds a hundred
WAKES_PER_GENERATION = 500  # an execution's history ends at 25,000 events
LONGEST_DELAY = timedelta(minutes=15)
TRIES = 6
BY_NAME = "by name"  # how Await says that it is left for other states
ROUNDS = 8  # turns of one invocation; where that is not enough, the machine comes back

Order = dict[str, Any]  # what the machine does next: {"step", "reason"}, and what a step needs
AWAIT: Order = {"step": "Await", "reason": "nothing is to be done now"}
FENCED: Order = {"step": "End", "reason": "another generation owns the incident"}


def owned(world: World, event: Mapping[str, Any]) -> Incident | None:
    """The incident of a stage's event, or None where another generation owns it by now."""
    incident = incidents.read(world.store, event["incident"])
    return incident if incident.generation == event["generation"] else None


def cleared(incident: Incident, step: str) -> Incident:
    """The incident without that step (the state that does it calls this when it is done)."""
    return replace(incident, step=None) if incident.step and incident.step.name == step else incident


def rest(world: World, event: Mapping[str, Any]) -> None:
    """Leave the event's token in the box until there is mail. Where something waits, the turn is taken first; the token
    is used at once where that leads to another state, whose name ends the wait, and where mail came in meanwhile."""
    incident = owned(world, event)
    if incident is None:
        _leave(world, event, FENCED)
        return
    order = AWAIT
    if event.get("done") or _something_waits(world, incident):
        order, incident = _taken(world, event, incident)
    if order["step"] != "Await":
        _leave(world, event, order)
    elif not _parked(world, incident, event["token"]):
        world.machines.wake(event["token"])


def _leave(world: World, event: Mapping[str, Any], order: Order) -> None:
    """Send the execution on to that step's state; one that began before states were left by name asks for it itself."""
    if event.get("leaves") == BY_NAME:
        state = "CloseAndStay" if order.get("stays") else order["step"]
        world.machines.leave(event["token"], state, order)
    else:
        world.machines.wake(event["token"])


def take(world: World, event: Mapping[str, Any]) -> Order:
    """Decide, and send what is to be sent, until another state has something to do or nothing is to be done now.

    `done` in the event names the step that the state before did, as `execution` that of a remediation which was begun.
    """
    incident = owned(world, event)
    return FENCED if incident is None else _taken(world, event, incident)[0]


def _taken(world: World, event: Mapping[str, Any], incident: Incident) -> tuple[Order, Incident]:
    """The same for the incident as it was read, and the incident as it is after it."""
    done = {"step": event.get("done", ""), "execution": event.get("execution", "")}
    for _ in range(ROUNDS):
        order, incident = _decide(world, incident, done)
        if order["step"] != "Page":
            return order, incident
        paging.send_due(world, incident.id)
        done = order
        told = owned(world, event)
        if told is None:
            return FENCED, incident
        incident = told
    return AWAIT, incident  # the step Page is still there, and taken up again


def _something_waits(world: World, incident: Incident) -> bool:
    return incident.step is not None or _is_due(world, incident) or mailbox.read(world, incident).waits


def _is_due(world: World, incident: Incident) -> bool:
    return execution.due_at(incident, world.now()) or incident.finished


def _parked(world: World, incident: Incident, token: str) -> bool:
    """Leave the token in the box for others to use; False where mail, a step or a deadline waits."""
    box = mailbox.read(world, incident)
    seconds = _until_due(world, incident)
    due = rfc3339(incident.next_due) if incident.next_due and seconds else ""
    busy = incident.step is not None or _is_due(world, incident)
    if busy or not mailbox.park(world, incident, replace(box, reminded=due), token):
        return False
    if due and (due != box.reminded or seconds <= execution.EARLY.total_seconds()):
        world.queue.send([deadline(incident.id)], delay_seconds=seconds)
    return True


def _decide(world: World, incident: Incident, done: Order) -> tuple[Order, Incident]:
    """Take the mail, decide, commit; hands out a step that was not cleared before it reads mail. Returns the order, and
    the incident as it is committed."""
    for _ in range(TRIES):
        if incident.step and _matches(incident, incident.step, done):
            incident = replace(incident, step=None)
        if incident.step:
            return ordered(incident, incident.step), incident
        if incident.wakes >= WAKES_PER_GENERATION:
            return _hand_over(world, incident), incident
        try:
            return _turn(world, incident)
        except Conflict:
            incident, generation = incidents.read(world.store, incident.id), incident.generation
            if incident.generation != generation:
                return FENCED, incident
    raise Conflict(f"incident {incident.id} changed {TRIES} times while its next step was decided")


def _matches(incident: Incident, step: Step, done: Order) -> bool:
    """Whether that is the step that was done; of remediations it is told which, as the same may be told twice."""
    which = done.get("execution") or None
    return step.name == done["step"] and which in (None, ordered(incident, step).get("execution"))


def _turn(world: World, before: Incident) -> tuple[Order, Incident]:
    """One decision on the mail, committed. The box is trimmed by who parks in it next, where nothing is to be done."""
    box = mailbox.read(world, before)
    mails = box.mails[:MAILS_PER_TURN]
    whole = len(mails) == len(box.mails)
    if box.looks and whole:
        mails = (*mails, Mail(MailKind.EVERYTHING, world.now(), actor="mailbox", number=box.number))
    look = replace(_look(world, before, mails), more=not whole)
    turn = advance(before, mails, look, world.team, world.now())
    after = _commit(world, before, turn, box)
    if mails and whole and (turn.step or box.looks):
        mailbox.trim(world, after, box)
    return ordered(after, turn.step) if turn.step else AWAIT, after


def _commit(world: World, before: Incident, turn: Advance, box: mailbox.Box) -> Incident:
    known = {intent.name: intent for intent in intents.of(world.store, before.id)} if turn.intents else {}
    writes: list[Write] = [intents.changing(i, known.get(i.name), world.now()) for i in turn.intents]
    lines = list(turn.lines)
    if turn.step and turn.step.name == "Remediate":
        lines.append(Line("decision", f"next: remediate {turn.step.action}", turn.step.reason))
    if turn.incident.over and not (before.over or turn.incident.merged_into):
        writes += _leaving(world, before, box)
    return incidents.commit(world, before, turn.incident, lines, writes)


def _leaving(world: World, incident: Incident, box: mailbox.Box) -> list[Write]:
    """It leaves the head, on condition that no alert joined it and no mail came in since the box was read."""
    head = heads.read(world.store, incident.scope)
    unchanged = Check(keys.box(incident.id), {"number": box.number, "looks": box.looks or ABSENT})
    return [heads.write(incident.scope, head, without(head, incident.id)), unchanged]


def ordered(incident: Incident, step: Step) -> Order:
    """The step as the state machine takes it; a remediation's execution is named after action, purpose and attempt."""
    order: Order = {"step": step.name, "reason": step.reason}
    if step.name == "Close":
        order["stays"] = not incident.drafted.finished
    if step.action:
        attempt = incident.actions[step.action].attempts
        execution_name = f"{step.action}-{step.purpose}-{attempt}"
        order |= {"action": step.action, "purpose": step.purpose, "attempt": attempt, "execution": execution_name}
    return order


def _hand_over(world: World, incident: Incident) -> Order:
    fresh = replace(incident, wakes=0)
    execution.restart(world, fresh, f"the execution handed over after {WAKES_PER_GENERATION} wakes")
    return {"step": "End", "reason": "handed over to the next generation"}


def _look(world: World, incident: Incident, mails: tuple[Mail, ...]) -> Look:
    """Read from the table what this mail and these deadlines need, and no more."""
    kinds = {mail.kind for mail in mails}
    groups = {mail.argument for mail in mails if mail.kind is MailKind.MOVED_IN}
    quiet = incident.clocks.get("quiet")
    closes = incident.many and quiet is not None and quiet <= world.now()
    count = closes or MailKind.EVERYTHING in kinds or _listed_none_left(incident, mails)
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
