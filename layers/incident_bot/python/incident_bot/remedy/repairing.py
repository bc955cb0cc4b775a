"""Repair: what `sweep` does about a remediation or a lock that was left, and what a person orders to be undone."""

from datetime import timedelta

from incident_bot.domain.errors import Conflict, Denied, Invalid, NotFound, Refused, Unavailable
from incident_bot.domain.incident import Incident
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.remedy.judging import kill_switch
from incident_bot.remedy.proposing import NEVER_STARTED
from incident_bot.remedy.releasing import LIFT_GRACE, finish
from incident_bot.remedy.running import Run
from incident_bot.state import actions, approvals, incidents, locks, mailbox
from incident_bot.state.actions import Order, Remediation
from incident_bot.world import Update, World, Write

ATTEMPTS = 6  # of one purpose, until a person is left alone with it
SUSPENDED_FOR = timedelta(seconds=60)  # how often the kill switch is asked again


def order_undo(world: World, action_id: str, person: str, reason: str) -> str:
    """Have a remediation put back on a person's word, even with the kill switch on; returns the execution's name.

    Raises NotFound, Invalid (no reason) and Refused (nobody, or nothing to undo).
    """
    remediation = actions.read(world.store, action_id)
    if person not in world.team.people:
        raise Refused(f"{person or 'nobody'} is no person who may order it", rule="person")
    if not reason.strip():
        raise Invalid("say why", where="reason")
    if not (remediation.live or remediation.state in ("applied", "suspended", "partial")):
        raise Refused(f"{action_id} is {remediation.state}: there is nothing to undo", rule="state", status=409)
    order = Order(person, reason.strip(), world.now())
    _, update = actions.changing(world, remediation, order=order)
    mail = Mail(MailKind.NOTE, world.now(), action_id, person, f"orders that {action_id} be undone: {order.reason}")
    due = actions.due_after(world, update, timedelta())
    world.store.write([due, mailbox.posting(world, remediation.incident, [mail])])
    mailbox.wake(world, remediation.incident)
    try:
        return _next(world, actions.read(world.store, action_id), "undo")
    except (Denied, Unavailable):
        return "ordered: it starts within a minute"  # it is due, so `sweep` starts it


def repair(world: World, action_id: str) -> str:
    """Do what is left to do about a remediation that `sweep` found due; says what in a word."""
    try:
        remediation = actions.read(world.store, action_id)
    except NotFound:
        return "gone"
    if remediation.order and (remediation.live or remediation.state in ("applied", "suspended", "partial")):
        return _resume(world, remediation, "undo")
    if remediation.live:
        return _resume(world, remediation, remediation.purpose)
    if remediation.state == "suspended":
        return _suspended(world, remediation)
    if remediation.state in ("proposed", "approved"):
        return _waiting(world, remediation)
    if remediation.in_force and remediation.state == "applied":
        return _overdue(world, remediation)
    actions.forget(world, remediation)
    return "settled"


def repair_lock(world: World, target: str) -> str:
    """Free a lock that none of its holders needs any more; a lock is never taken away because it is old."""
    lock = locks.read(world.store, target)
    if lock is None:
        return "free"
    needed = [holder for holder in lock.holders if _needs(world, holder)]
    if needed:
        locks.look_again(world, lock)
        return "held"
    for holder in lock.holders:
        writes, free = locks.freeing(world, [target], holder, keep=False)
        told = [incident for incidents_waiting in free.values() for incident in incidents_waiting]
        mail = Mail(MailKind.RELEASED, world.now(), target, "sweep")
        posts: list[Write] = [mailbox.posting(world, incident, [mail]) for incident in told]
        world.store.write([*writes, *posts])
        for incident in told:
            mailbox.wake(world, incident)
    return "freed"


def _needs(world: World, action_id: str) -> bool:
    try:
        remediation = actions.read(world.store, action_id)
    except NotFound:
        return False
    return remediation.live or remediation.in_force or remediation.state == "running"


def _resume(world: World, remediation: Remediation, purpose: str) -> str:
    """The next attempt where the execution is dead."""
    ordered = remediation.order is not None and remediation.purpose != "undo"
    name = f"{remediation.id}-{remediation.run}"
    if remediation.live and not ordered and world.machines.running("remediation", name):
        actions.look_again(world, remediation, actions.LOOK_AFTER)
        return "running"
    return _next(world, remediation, purpose)


def _next(world: World, remediation: Remediation, purpose: str) -> str:
    """Start the next attempt of that purpose, unless it is under way; too many attempts are a person's business."""
    first = max((_attempt(run) for run in remediation.runs), default=0) + 1
    runs = sum(1 for run in remediation.runs if run.startswith(f"{purpose}-"))
    if runs >= ATTEMPTS and remediation.live:
        _give_up(world, remediation)
        return "given up"
    for attempt in range(first, first + ATTEMPTS):
        name = f"{remediation.id}-{purpose}-{attempt}"
        payload = {"incident": remediation.incident, "action": remediation.id, "purpose": purpose, "attempt": attempt}
        if world.machines.start("remediation", name, payload) or world.machines.running("remediation", name):
            actions.look_again(world, remediation, actions.LOOK_AFTER)
            return name
    actions.look_again(world, remediation, actions.LOOK_AFTER)
    return "no execution could be started"


def _attempt(run: str) -> int:
    return int(run.rsplit("-", 1)[1])


def _give_up(world: World, remediation: Remediation) -> None:
    """Every attempt died: say exactly what is known, keep the locks, and leave it to a person."""
    run = Run(world, remediation)
    if not remediation.outcome:
        opened = remediation.state not in ("proposed", "approved")
        text = f"{ATTEMPTS} attempts died on the way; nothing more is tried.\n{run.manual()}"
        run.end("partial" if opened else "failed", "partial" if opened else "failed", text)
    finish(world, run.remediation)


def _suspended(world: World, remediation: Remediation) -> str:
    """The switch went off: what was half way is put back, what was to be lifted is lifted."""
    if kill_switch(world):
        actions.look_again(world, remediation, SUSPENDED_FOR)
        return "suspended"
    return _next(world, remediation, "lift" if remediation.purpose == "lift" else "undo")


def _waiting(world: World, remediation: Remediation) -> str:
    """Nothing has begun: expire its approval, or start what should have been started and never was."""
    incident = incidents.read(world.store, remediation.incident)
    if remediation.state == "proposed" and remediation.approval:
        return _expire(world, remediation)
    if incident.over:
        actions.forget(world, remediation)
        return "over"
    return _started(world, remediation, incident, "apply")


def _expire(world: World, remediation: Remediation) -> str:
    if not approvals.expire(world, remediation.approval):
        approval = approvals.read(world.store, remediation.approval)
        actions.look_again(world, remediation, max(approval.expires_at - world.now(), timedelta(seconds=5)))
        return "waiting"
    detail = {"decision": "expired", "state": "expired", "action": remediation.id}
    text = "nobody decided in time"
    mail = Mail(MailKind.APPROVAL, world.now(), remediation.approval, "sweep", text, detail)
    gone = Update(actions.key_of(remediation), remove=actions.NOT_DUE, expect={"state": "expired"})
    try:
        world.store.write([gone, mailbox.posting(world, remediation.incident, [mail])])
    except Conflict:
        return "changed meanwhile"
    mailbox.wake(world, remediation.incident)
    return "expired"


def _overdue(world: World, remediation: Remediation) -> str:
    """A mitigation whose time is over is lifted, whoever should have done it."""
    incident = incidents.read(world.store, remediation.incident)
    return _started(world, remediation, incident, "lift")


def _started(world: World, remediation: Remediation, incident: Incident, purpose: str) -> str:
    """Start what the incident believes to run, or what it should have started long ago; otherwise look again later."""
    known = incident.actions.get(remediation.id)
    believed = known is not None and known.state == "running"
    name = f"{remediation.id}-{purpose}-{known.attempts if known else 1}"
    if believed and world.machines.running("remediation", name):
        actions.look_again(world, remediation, NEVER_STARTED)
        return "starting"
    if believed or purpose == "lift":
        return _next(world, remediation, purpose)
    actions.look_again(world, remediation, LIFT_GRACE)
    return "waiting"
