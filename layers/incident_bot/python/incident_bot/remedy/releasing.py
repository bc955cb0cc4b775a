"""Release: tell the result, free the run's own locks and wake who waits - all of it once, in one transaction."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from incident_bot.domain import autonomy
from incident_bot.domain.errors import Conflict
from incident_bot.domain.journal import Entry, Kind
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.remedy.judging import playbook_of
from incident_bot.remedy.running import name_of, owned
from incident_bot.state import actions, budgets, heads, locks, mailbox
from incident_bot.state.actions import Remediation
from incident_bot.world import World, Write

TRIES = 6
LIFT_GRACE = timedelta(minutes=5)
LIFT_AGAIN = timedelta(minutes=1)
CALLS = (Kind.DONE, Kind.FOUND, Kind.DENIED, Kind.FAILED)
BELONGS_TO_PLAYBOOK = ("helped", "undone", "failed", "partial")


def release(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers {"released", "outcome"}; an unfinished journal is left to `sweep`, which starts the next attempt."""
    for _ in range(TRIES):
        remediation = owned(world, event)
        if remediation is None:
            return _not_owned(world, event)
        if not remediation.outcome:
            actions.look_again(world, remediation, timedelta())
            return {"released": False, "outcome": "unfinished"}
        try:
            finish(world, remediation)
        except Conflict:
            continue
        return {"released": True, "outcome": remediation.outcome}
    raise Conflict(f"{event['action']} could not be released in {TRIES} tries")


def _not_owned(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Taken over or ended; or Act never got as far as to begin, and `sweep` is to look at it now."""
    found = actions.read(world.store, event["action"])
    if found.live or name_of(event) in found.runs:
        return {"released": False, "outcome": "ended"}
    actions.look_again(world, found, timedelta())
    return {"released": False, "outcome": "unfinished"}


def finish(world: World, remediation: Remediation) -> None:
    """The transaction, and then the wake-ups; what a crash leaves unwoken, `sweep` wakes."""
    text, record = _record(world, remediation)
    freeing, free = locks.freeing(world, remediation.plan.targets, remediation.id, keep=remediation.in_force)
    waiting = _waiting(remediation, free)
    mails = {incident: [_released(world, target) for target in targets] for incident, targets in waiting.items()}
    own = [*_calls(remediation), _result(world, remediation, text), *mails.pop(remediation.incident, [])]
    writes: list[Write] = [_ended(world, remediation), *freeing, *record]
    if remediation.state != "suspended":
        writes.append(heads.action_ended(remediation.scope, remediation.incident, remediation.id))
    writes.append(mailbox.posting(world, remediation.incident, own))
    writes += [mailbox.posting(world, incident, posted) for incident, posted in mails.items()]
    world.store.write(writes)
    world.metrics.count("Remediations", outcome=remediation.outcome, action=remediation.action)
    for incident in (remediation.incident, *mails):
        mailbox.wake(world, incident)


def _ended(world: World, remediation: Remediation) -> Write:
    """The run ends. What is suspended, or in force and to be lifted, stays in `sweep`'s sight."""
    _, update = actions.changing(world, remediation, live=False, order=None, told=len(remediation.journal))
    if remediation.state == "applied" and remediation.in_force:
        # A lift that could not begin is tried again soon; after an apply, sweep only backs up the actor's own deadline.
        later = timedelta(seconds=remediation.lift_after_seconds) + LIFT_GRACE
        return actions.due_after(world, update, LIFT_AGAIN if remediation.purpose == "lift" else later)
    return update


def _record(world: World, remediation: Remediation) -> tuple[str, list[Write]]:
    """What the outcome means for the budgets and for the playbook's mode."""
    text = remediation.text
    if remediation.approvers and remediation.purpose == "apply":
        text += f"\napproved by {', '.join(remediation.approvers)}"
    if remediation.purpose != "apply" or remediation.outcome not in BELONGS_TO_PLAYBOOK:
        return text, []
    helped = remediation.outcome == "helped"
    writes: list[Write] = [*budgets.outcome(remediation.action, remediation.plan.targets, helped=helped)]
    playbook = playbook_of(world, remediation.playbook)
    if playbook:
        before = budgets.earned(world.store, playbook.name)
        after = autonomy.after(before, playbook.mode, remediation.outcome)
        writes.append(budgets.earning(world, playbook.name, before, after))
        text += f"\nplaybook {playbook.name} {after.reason}" if after.reason else ""
    return text, writes


def _waiting(remediation: Remediation, free: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Incident -> the targets that are free for it now. A canary that helped makes room for the rest of its own."""
    waiting: dict[str, list[str]] = {}
    for target, incidents in free.items():
        for incident in incidents:
            waiting.setdefault(incident, []).append(target)
    if remediation.rest and remediation.outcome == "helped":
        waiting.setdefault(remediation.incident, []).append("the rest of the service")
    return waiting


def _released(world: World, target: str) -> Mail:
    return Mail(MailKind.RELEASED, world.now(), target, "release")


def _calls(remediation: Remediation) -> list[Mail]:
    """Every call that the timeline does not have yet, also those of runs that were taken over before they told."""
    made = (entry for entry in remediation.journal[remediation.told :] if entry.kind in CALLS)
    return [Mail(MailKind.NOTE, entry.at, remediation.id, "act", _told(entry), {"kind": "call"}) for entry in made]


def _told(entry: Entry) -> str:
    """What was called and when: the timeline's own time is that of the result."""
    return f"{entry.at:%H:%M:%S} UTC: {entry.text}"


def _result(world: World, remediation: Remediation, text: str) -> Mail:
    detail = {
        "outcome": remediation.outcome,
        "purpose": remediation.purpose,
        "attempt": str(remediation.attempt),
        "journal": remediation.journal_head,
        "playbook": remediation.playbook,
    }
    return Mail(MailKind.RESULT, world.now(), remediation.id, "release", text, detail)
