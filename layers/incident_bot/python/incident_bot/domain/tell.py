"""Telling people: pages, held pages, acknowledgements and escalation, and what mail and deadlines do to them."""

from dataclasses import replace
from datetime import timedelta

from incident_bot.domain.deliberation import Deliberation
from incident_bot.domain.escalate import after as next_escalation
from incident_bot.domain.escalate import waits_until
from incident_bot.domain.incident import Escalation, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.mail import Mail
from incident_bot.domain.message import Kind
from incident_bot.domain.owner import frozen
from incident_bot.domain.plaintext import line
from incident_bot.domain.rulebook import RuleName

CLEARED = "no alert of it fires any more"
ACK_SILENCES = ("first", "escalation", "unheld")  # what is worse, new to an owner or half done, an ack cannot know of

TELL_OF_IT = ("first", "worsened", "spread", "reassigned", "unheld")  # an escalation says nothing new
SPREADS = 3  # pages
NOTICE_EVERY = timedelta(seconds=60)  # of further services
NAMED = 8


def message(d: Deliberation, purpose: str, kind: Kind, reason: str, text: str = "", **changes: object) -> None:
    """Write a message down for the team whose turn it is."""
    escalation = d.incident.escalation or Escalation(d.incident.owner)
    intent = Intent(
        incident=d.incident.id,
        name=f"{purpose}-{d.before.version + 1}-{len(d.changed)}",
        purpose=purpose,
        kind=kind,
        severity=d.incident.severity,
        group=escalation.group,
        steps=escalation.steps[escalation.step : escalation.step + 1],
        reason=reason,
        text=text,
        created_at=d.now,
    )
    d.write(replace(intent, **changes))  # type: ignore[arg-type]


def page(d: Deliberation, purpose: str, reason: str, text: str = "") -> None:
    """Page somebody: the page that waits, at once and as bad as it is now, or a new one where none waits."""
    if d.held:
        unhold(d, "agreed", reason, text)
    elif d.untried:
        waiting = d.untried[0]
        d.write(replace(waiting, severity=d.incident.severity, reason=f"{waiting.reason}; {reason}"))
    else:
        message(d, purpose, Kind.TRIGGER, reason, text)


def notice(d: Deliberation, service: str) -> None:
    """Page for one more service at Sev1, whoever acknowledged."""
    _gather(d, "worsened", service, "at sev1")


def spread(d: Deliberation, service: str, title: str, why: str) -> None:
    """Page again for an incident that turns out to be more than people were told of, whoever acknowledged: once for a
    service, and a few times in all. A page that is to go out anyway tells of it."""
    told = [i for i in d.intents.values() if i.purpose == "spread"]
    known = any(line(service, 100) in i.details["named"].split("\n") for i in told)
    if known or any(i.purpose != "spread" for i in d.untried):
        return
    d.decide("another-fault", f"{title} of {service} is another fault, or the cause", why)
    if len(told) < SPREADS or told[-1] in d.untried:
        _gather(d, "spread", service, "with a fault of its own", f"; so far it was told as {d.incident.service}")
    else:
        d.decide("spread-limit", f"nobody is paged for {service}", f"{SPREADS} pages said that it spreads")


def _gather(d: Deliberation, purpose: str, service: str, how: str, also: str = "") -> None:
    """Page for one more service: at once, but a minute after the last page at the earliest. What comes meanwhile goes
    out with it."""
    d.forget_answer()
    waiting = next((i for i in d.untried if i.details.get("services")), None)
    count = int(waiting.details["services"]) + 1 if waiting else 1
    names = (*(waiting.details["named"].split("\n") if waiting else ()), line(service, 100))[:NAMED]
    more = f" and {count - NAMED} more" if count > NAMED else ""
    reason = f"{count} more service{'s' if count > 1 else ''} {how}: {', '.join(names)}{more}{also}"
    details = {"services": str(count), "named": "\n".join(names)}
    if waiting:
        d.write(replace(waiting, reason=reason, details=details))
        return
    told_at = (i.not_before or i.created_at for i in d.intents.values() if i.pages and i.purpose in TELL_OF_IT)
    due = max((at + NOTICE_EVERY for at in told_at if at), default=d.now)
    until = due if due > d.now else None
    message(d, purpose, Kind.TRIGGER, reason, not_before=until, details=details)
    d.clock("hold", until)
    d.decide("further-service", f"it pages {f'at {until:%H:%M:%S} UTC' if until else 'now'}", reason)


def hold(d: Deliberation, purpose: str, reason: str, seconds: int) -> None:
    """Write a first page down that waits: what explains it may report yet, or it may clear."""
    until = d.later(min(seconds, d.team.timing.hold_limit))
    message(d, purpose, Kind.TRIGGER, reason, not_before=until, details={"waits": "cause"})
    d.clock("hold", until)
    d.decide("cause-wait", f"the page is held until {until:%H:%M:%S} UTC at most", "its cause may report yet")


def unhold(d: Deliberation, rule: RuleName, reason: str, text: str = "") -> None:
    """Let a held page go."""
    held = d.held
    if held:
        reasons = f"{held.reason}; {reason}"
        severity = d.incident.severity
        d.write(replace(held, not_before=d.now, text=text or held.text, reason=reasons, severity=severity))
        d.clock("hold", None)
        d.decide(rule, "the held page goes out now", reason)


def cancel(d: Deliberation, rule: RuleName, reason: str, intents: list[Intent]) -> None:
    """Take back messages that nobody needs any more; whom a page would have woken is on the record."""
    for intent in intents:
        d.write(replace(intent, state="cancelled", outcome=reason))
        if intent.pages:
            whom = ", ".join(name for step in intent.steps for name in step.notify) or intent.group
            d.decide(rule, f"not paged: {whom} would have been", reason)


def reassign(d: Deliberation, was: Escalation, why: str) -> None:
    """Another team owns it now: it is paged once, or told where somebody acknowledged, or where those whom it would
    wake were woken for its former owner a moment ago; a held page goes on waiting."""
    escalation = d.incident.escalation or Escalation(d.incident.owner)
    held, reason = d.held, f"the probable root is {d.incident.service} of {d.incident.owner}"
    if d.incident.acknowledged_at or (d.paged and not held and _woken_already(d, was, escalation)):
        message(d, "update", Kind.UPDATE, reason, why)
    elif held:
        d.write(replace(held, group=escalation.group, steps=escalation.steps[:1], reason=f"{held.reason}; {reason}"))
    elif d.paged:
        message(d, "reassigned", Kind.TRIGGER, f"reassigned from {was.group}: {reason}", why)


def _woken_already(d: Deliberation, was: Escalation, now: Escalation) -> bool:
    """Whether the step that is due was just taken, by the same rotas and people on the same channels and pager: the
    root is still being found. What is found later may be another fault."""
    lately = d.now - timedelta(seconds=d.team.correlation.gather_seconds)
    teams = [d.team.groups.get(escalation.group) for escalation in (was, now)]
    same_pager = all(teams) and len({tuple(sorted(team.pager.items())) for team in teams if team}) == 1
    due, taken = now.steps[now.step : now.step + 1], was.steps[: was.step + 1]
    reached = {(name, channel) for step in taken for name in step.notify for channel in step.channels}
    out = (i for i in d.intents.values() if i.pages and i.state in ("pending", "sent"))  # one that failed woke nobody
    paged = any((i.not_before or i.created_at or d.now) >= lately for i in out)
    wakes = {(name, channel) for step in due for name in step.notify for channel in step.channels}
    return paged and same_pager and bool(wakes) and wakes <= reached


def told(d: Deliberation, mail: Mail) -> None:
    """A message was sent, failed, or was cancelled by its sender."""
    intent, outcome = d.intents.get(mail.argument), mail.detail.get("outcome", "sent")
    to, via = mail.detail.get("to", ""), mail.detail.get("via", "")
    wakes = bool(intent and intent.pages)
    sent = f"{'paged' if wakes else 'told'} {to} by {via}"
    d.say("page", sent if outcome == "sent" else f"message to {to} {outcome}", mail.text)
    if wakes and outcome == "sent":
        d.set(pages=d.incident.pages + 1, noise=False)
        if d.incident.state is State.TRIAGED:
            d.become(State.ACTIVE, "somebody was paged")
        await_answer(d, mail)
    elif wakes and outcome == "failed" and "escalate" not in d.incident.clocks:
        await_answer(d, mail)  # whom no channel reaches cannot answer: the next one is tried


def await_answer(d: Deliberation, mail: Mail | None = None) -> None:
    """Escalate unless somebody acknowledges the page (since the mail of it, or since now) in time."""
    escalation, incident = d.incident.escalation, d.incident
    needless = incident.over or incident.acknowledged_at or incident.state is State.MITIGATED
    if escalation and not needless:
        d.clock("escalate", waits_until(escalation, mail.at if mail else d.now))


def acknowledged(d: Deliberation, mail: Mail) -> None:
    """Somebody works on it: no escalation until the acknowledgement expires, but for what they cannot know."""
    if d.incident.over:
        d.say("note", f"{mail.actor} acknowledges", "it is over already", mail.actor)
        return
    group = d.team.groups.get(d.incident.owner)
    who = mail.actor if mail.actor in d.team.people else ""  # a source that tells of it commands nothing
    commander, first = d.incident.commander or who, d.incident.acknowledged_at is None
    d.set(acknowledged_at=mail.at, acknowledged_by=mail.actor, commander=commander)
    leads = f"; {commander} is incident commander" if commander else ""
    d.decide("acknowledged", f"acknowledged{leads}", mail.text, mail.actor)
    d.clock("escalate", None)
    d.clock("ack", d.later(group.ack_expires_seconds if group else 3600))
    idle = (i for i in d.intents.values() if i.state == "pending" and not (i.lease_until and i.lease_until > d.now))
    cancel(d, "acknowledged", f"{mail.actor} acknowledged", [i for i in idle if i.pages and i.purpose in ACK_SILENCES])
    if not d.held:
        d.clock("hold", None)
    if d.incident.state is State.TRIAGED:
        d.become(State.ACTIVE, f"{mail.actor} works on it")
    if d.may_stand and first:
        message(d, "acknowledge", Kind.ACKNOWLEDGE, f"{mail.actor} acknowledged")


def spare(d: Deliberation) -> None:
    """What nobody has begun to send need not wake anybody for what is clear or over."""
    if d.incident.over or d.incident.state is State.MITIGATED:
        cancel(d, "over", "it is over", d.untried) if d.incident.over else cancel(d, "cleared", CLEARED, d.untried)
        d.clock("hold", None)


def release_hold(d: Deliberation) -> None:
    """The hold is over and it still fires: what waited is due by its own time."""
    d.clock("hold", None)
    if d.untried:
        d.decide("hold-over", "the held page goes out now", "its hold is over and the alert still fires")


def escalate(d: Deliberation) -> None:
    """Nobody answered in time: page by the next step, or the fallback where all of them are through."""
    d.clock("escalate", None)
    if d.incident.acknowledged_at or d.incident.over or d.incident.escalation is None:
        return
    if d.incident.state is State.MITIGATED:
        d.decide("cleared", "no escalation", "nothing fires; it only waits for its quiet period")
        return
    escalation, step, _, reason = next_escalation(d.incident.escalation, d.now)
    d.set(escalation=escalation)
    steps = (step,) if step else ()
    message(d, "escalation", Kind.TRIGGER, reason, "" if step else "nobody acknowledged", steps=steps)


def forget_acknowledgement(d: Deliberation) -> None:
    """An acknowledgement that was not renewed must not swallow an outage: while it fires, all begins anew."""
    d.clock("ack", None)
    whom = d.incident.acknowledged_by
    reason = f"the acknowledgement of {whom} expired"
    if d.incident.over:
        return
    d.set(acknowledged_at=None, acknowledged_by="", escalation=frozen(d.incident.owner, d.team))
    if d.incident.state is State.MITIGATED:
        d.decide("cleared", "nobody is paged for that", f"{reason}, but nothing fires")
    elif d.wakes or d.incident.pages:
        message(d, "escalation", Kind.TRIGGER, f"{reason} and it still fires")
    else:
        d.decide("ticket", "nobody is paged for that", f"{reason}; it is a ticket")
