"""The incident's next step: a pure function of the incident, its mail, what was read from the table, and the time.

Mail changes what is known and sets deadlines; deadlines that have passed and things left to do make the step. Whatever
somebody should do is derived from the incident itself, so a crash between two steps loses nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from incident_bot.domain import hear, mitigate, tell
from incident_bot.domain.deliberation import Deliberation, Look
from incident_bot.domain.incident import Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line

CLOSE_LATER = 60  # seconds until a quiet incident is looked at again whose remediation still runs
TELL_LATER = 30  # seconds until it is looked again whether a message of an incident that is over has left
OF_ALERTS = (MailKind.ALERT, MailKind.MOVED_IN, MailKind.MOVED_OUT, MailKind.EVERYTHING)


@dataclass(frozen=True, slots=True)
class Advance:
    """What the actor writes: the incident with its step, its new lines, and the intents that are new or changed."""

    incident: Incident
    lines: tuple[Line, ...]
    intents: tuple[Intent, ...]
    step: Step | None


def advance(incident: Incident, mail: Sequence[Mail], look: Look, team: Team, now: datetime) -> Advance:
    """Decide what the incident does next. Mail is taken in order; the last number is recorded with the decision."""
    d = Deliberation(incident, look, team, now)
    for letter in mail:
        TAKE[letter.kind](d, letter)
    if any(letter.kind in OF_ALERTS for letter in mail):
        hear.count_everything(d)
    _deadlines(d)
    step = _step(d)
    if step is None:
        _watch(d)
    taken = max((letter.number for letter in mail), default=0)
    after = replace(d.incident, step=step, mail_taken=max(taken, incident.mail_taken), wakes=incident.wakes + 1)
    return Advance(after, tuple(d.lines), tuple(d.changed.values()), step)


def _resolve_asked(d: Deliberation, mail: Mail) -> None:
    """A person's word skips the quiet period, not the source's."""
    d.say("decision", f"{mail.actor} says it is over", mail.text, mail.actor)
    if not d.incident.over:
        d.set(resolve_asked_by=mail.actor)
        d.clock("verify", d.now)


def _noted(d: Deliberation, mail: Mail) -> None:
    d.say(mail.detail.get("kind", "note"), mail.text, mail.detail.get("reason", ""), mail.actor)


TAKE: Mapping[MailKind, Callable[[Deliberation, Mail], None]] = {
    MailKind.ALERT: hear.alert,
    MailKind.MOVED_IN: hear.moved_in,
    MailKind.MOVED_OUT: hear.moved_out,
    MailKind.ROOT: hear.reroot,
    MailKind.EVERYTHING: hear.everything,
    MailKind.PAGED: tell.told,
    MailKind.ACK: tell.acknowledged,
    MailKind.RESOLVE: _resolve_asked,
    MailKind.PROPOSE: mitigate.decided,
    MailKind.APPROVAL: mitigate.decided,
    MailKind.RESULT: mitigate.result,
    MailKind.RELEASED: mitigate.released,
    MailKind.NOTE: _noted,
    MailKind.STORM: hear.storm,
}


def _deadlines(d: Deliberation) -> None:
    d.clock("start", None)
    if d.due("hold") and d.incident.state is not State.MITIGATED:
        tell.release_hold(d)
    if d.due("escalate"):
        tell.escalate(d)
    if d.due("ack"):
        tell.forget_acknowledgement(d)
    if d.due("stale"):
        d.clock("stale", None)
        d.clock("verify", d.now)
    if d.due("approval"):
        mitigate.expire_approvals(d)


def _step(d: Deliberation) -> Step | None:
    """Telling people comes first, then acting, then finding out whether it is over."""
    tell.spare(d)
    if any(intent.ready(d.now) for intent in d.intents.values()):
        return Step("Page", "there are messages to send")
    return mitigate.next_step(d) or (_ending(d) if d.incident.over else _investigation(d))


def _ending(d: Deliberation) -> Step | None:
    """After the end the execution stays for what is in force, in flight or still to be told."""
    waiting = any(i.state == "pending" for i in d.intents.values())
    d.clock("tell", d.later(TELL_LATER) if waiting else None)
    ended = replace(d.incident, step=None)
    return Step("End", "it is over and nothing of it is in force") if ended.finished else None


def _investigation(d: Deliberation) -> Step | None:
    if d.due("verify"):
        d.clock("verify", None)
        return Step("Verify", "a person says so" if d.incident.resolve_asked_by else "it cleared, or it is stale")
    if d.due("quiet"):
        return _close(d)
    if d.due("propose"):
        d.clock("propose", None)
        return Step("Propose", "the situation changed")
    return None


def _close(d: Deliberation) -> Step | None:
    if any(a.state == "running" for a in d.incident.actions.values()):
        d.clock("quiet", d.later(CLOSE_LATER))
        return None
    d.clock("quiet", None)
    return Step("Close", "it stayed quiet")


def _watch(d: Deliberation) -> None:
    """An open incident always has a deadline by which it is asked whether it is over: no lost resolve hangs it."""
    waits = d.incident.clocks
    if d.incident.over or "verify" in waits:
        return
    if d.incident.state is State.MITIGATED and "quiet" not in waits:
        d.clock("verify", d.later(d.team.timing.quiet_period))
    elif "stale" not in waits:
        d.clock("stale", d.later(d.team.timing.stale_after))
