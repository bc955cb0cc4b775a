"""Mitigating: what proposals, approvals and results do to an incident, and which remediation is started next."""

from dataclasses import replace
from datetime import timedelta

from incident_bot.domain import tell
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.deliberation import Deliberation
from incident_bot.domain.incident import ActionState, State, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.message import Kind

OUTCOMES = {"helped": "applied", "partial": "failed", "refused": "failed"}  # others are the state's own name
TELLS = ("undone", "failed", "partial", "suspended", "refused")
WHOLE = ("undone", "refused")  # nothing of it is in force: whoever was paged is told, not woken again
AGAIN_AFTER = 60  # seconds until a lift that found its target locked is tried again
LOOK_AGAIN = 15  # seconds until it is looked again whether another remediation has ended


def decided(d: Deliberation, mail: Mail) -> None:
    """A person proposed an action, or a request was decided: take over what the actions' items say."""
    before = d.incident.actions
    for name, state in d.look.actions.items():
        known = d.incident.actions.get(name)
        if known is None or (known.state in ("proposed", "busy") and known.state != state.state):
            _put(d, name, replace(state, attempts=known.attempts) if known else state)
    words = "proposes" if mail.kind is MailKind.PROPOSE else mail.detail.get("decision", "decided")
    over = "it is over: nothing more is begun" if d.incident.over else ""
    d.say("approval", f"{words} {mail.argument}", mail.text or over, mail.actor)
    if d.incident.over:
        return
    if mail.kind is MailKind.PROPOSE and mail.argument not in before:
        _ask(d, mail)
    if mail.detail.get("state") in ("rejected", "expired"):
        tell.unhold(d, "remediation", f"{mail.argument} is {mail.detail['state']}")
        d.clock("propose", d.now)
    if not _asked(d):
        d.clock("approval", None)
    elif "approval" not in d.incident.clocks:
        d.clock("approval", d.later(d.team.guardrails.approval_ttl_seconds))


def _ask(d: Deliberation, mail: Mail) -> None:
    """Tell people that a person's proposal waits for one of them: whoever asks may not approve it."""
    action = d.incident.actions.get(mail.argument)
    if action is None or action.state != "proposed" or not action.approval:
        return
    details = {
        "approval": action.approval,
        "digest": action.digest,
        "action": action.action,
        "target": action.target,
        "plan": mail.text,
        "expires_at": rfc3339(mail.at + timedelta(seconds=d.team.guardrails.approval_ttl_seconds)),
    }
    reason = f"{mail.actor} asks that somebody else approves {action.action}"
    tell.message(d, "update", Kind.UPDATE, reason, details=details)


def _asked(d: Deliberation) -> bool:
    return any(a.state == "proposed" and a.approval for a in d.incident.actions.values())


def _put(d: Deliberation, name: str, action: ActionState) -> None:
    d.set(actions={**d.incident.actions, name: action})


def result(d: Deliberation, mail: Mail) -> None:
    """A remediation ended. Anything but help is a person's business."""
    known, name = d.incident.actions.get(mail.argument), mail.argument
    if known is None:
        d.say("action", f"{name}: {mail.text}", "not one of this incident's actions", mail.actor)
        return
    outcome, purpose = mail.detail.get("outcome", "failed"), mail.detail.get("purpose", "apply")
    d.say("action", f"{known.action} on {known.target}: {outcome}", mail.text, mail.actor)
    if purpose == "lift" and outcome == "busy":
        _put(d, name, replace(known, state="applied"))
        d.clock(f"lift:{name}", d.later(AGAIN_AFTER))
        return
    _put(d, name, replace(known, state=OUTCOMES.get(outcome, outcome)))
    if outcome == "helped" and known.lift_after_seconds:
        d.clock(f"lift:{name}", d.later(known.lift_after_seconds))
    if outcome in ("undone", "lifted"):
        d.clock(f"lift:{name}", None)
    if outcome in TELLS:
        _tell_result(d, known, outcome, mail.text)
    elif outcome == "busy":
        tell.unhold(d, "remediation", f"{known.action} has to wait: {mail.text}")
    if outcome == "undone" and not d.incident.over:
        d.clock("propose", d.now)
    if outcome in ("undone", "lifted") and d.incident.over:
        _close_undo(d)
    if quiet := d.incident.clocks.get("quiet"):  # it may have been put off because this still ran
        longest = max(d.team.timing.quiet_period, d.incident.quiet_seconds)
        d.clock("quiet", min(quiet, d.later(longest)))


def _close_undo(d: Deliberation) -> None:
    """After the end nobody else closes the page that told of something half done, once nothing is any more."""
    suspended = any(action.state == "suspended" for action in d.incident.actions.values())
    if not suspended and any(i.purpose == "undo" and i.pages and i.attempts for i in d.intents.values()):
        tell.message(d, "resolve", Kind.RESOLVE, "nothing of it is in force any more")


def _tell_result(d: Deliberation, action: ActionState, outcome: str, text: str) -> None:
    """The held page goes out; without one a person is paged, where something may be half done or goes on unseen, or
    else told."""
    reason = f"{action.action} {outcome}"
    if d.held:
        tell.unhold(d, "remediation", reason, text)
    elif outcome in WHOLE and (d.paged or d.incident.over):
        tell.message(d, "update", Kind.UPDATE, reason, text)
    else:
        tell.message(d, "undo", Kind.TRIGGER, reason, text)


def released(d: Deliberation, mail: Mail) -> None:
    """A lock that this incident waited for is free."""
    d.say("note", f"{mail.argument} is free again", mail.text, mail.actor)
    if not d.incident.over:
        d.clock("propose", d.now)


def expire_approvals(d: Deliberation) -> None:
    """Nobody decided in time; a request that has longer to live is looked at again."""
    d.clock("approval", None)
    for name, action in d.incident.actions.items():
        item = d.look.actions.get(name)
        if action.state == "proposed" and item and item.state == "expired":
            _put(d, name, replace(action, state="expired"))
            d.say("approval", f"the request for {action.action} expired", "nobody decided in time")
            _tell_expired(d, action)
    if _asked(d) and not d.incident.over:
        d.clock("approval", d.later(AGAIN_AFTER))


def _tell_expired(d: Deliberation, action: ActionState) -> None:
    """The held page goes out; where people were paged and asked already, they hear that nothing comes of it."""
    if d.held:
        tell.unhold(d, "remediation", "nobody approved in time")
    elif not d.incident.over:
        anew = f'incidentbot propose {d.incident.id} {action.action} TARGET --reason "..."'
        reason = f"the request for {action.action} expired: nobody decided in time"
        tell.message(d, "update", Kind.UPDATE, reason, f"To ask anew, for somebody else to approve: {anew}")


def next_step(d: Deliberation) -> Step | None:
    """The remediation to start, one at a time: what is approved, then what is to be lifted."""
    running = any(a.state == "running" for a in d.incident.actions.values())
    for name, action in d.incident.actions.items():
        if action.state == "approved" and not running and not d.incident.over:
            return _start(d, name, action, "apply", "it is approved")
    for name, action in d.incident.actions.items():
        if not d.due(f"lift:{name}"):
            continue
        if not running:
            d.clock(f"lift:{name}", None)
            return _start(d, name, action, "lift", "its time is over")
        d.clock(f"lift:{name}", d.later(LOOK_AGAIN))
    return None


def _start(d: Deliberation, name: str, action: ActionState, purpose: str, reason: str) -> Step:
    _put(d, name, replace(action, state="running", attempts=action.attempts + 1))
    if d.incident.state is State.TRIAGED:
        d.become(State.ACTIVE, "an action starts")
    return Step("Remediate", reason, name, purpose)
