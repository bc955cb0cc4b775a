"""The incident's next step: a pure function of the incident, its mail, what was read from the table, and the time.

Mail changes what is known and sets deadlines; deadlines that have passed and things left to do make the step. Whatever
somebody should do is derived from the incident itself, so a crash between two steps loses nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from incident_bot.domain import hear, mitigate, storm, tell
from incident_bot.domain.close import close
from incident_bot.domain.deliberation import Deliberation, Look
from incident_bot.domain.incident import Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line

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
    d.decide("person-resolves", f"{mail.actor} says it is over", mail.text, mail.actor)
    if not d.incident.over:
        d.set(resolve_asked_by=mail.actor)
        d.clock("verify", d.now)


def _noted(d: Deliberation, mail: Mail) -> None:
    detail = mail.detail
    d.say(detail.get("kind", "note"), mail.text, detail.get("reason", ""), mail.actor, detail.get("rule", ""))


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
        if "quiet" not in d.incident.clocks:  # what is clear and only waits is not stale
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
    """After the end its postmortem is drafted; the execution stays for what is in force, in flight or still untold."""
    waiting = any(i.state == "pending" for i in d.intents.values())
    d.clock("tell", d.later(TELL_LATER) if waiting else None)
    if d.due("draft"):
        return Step("Close", "its postmortem is to be drafted")
    ended = replace(d.incident, step=None)
    return Step("End", "it is over and nothing of it is in force") if ended.finished else None


def _investigation(d: Deliberation) -> Step | None:
    if d.due("verify"):
        d.clock("verify", None)
        if _may_be_asked(d.incident):
            return Step("Verify", "a person says so" if d.incident.resolve_asked_by else "it cleared, or it is stale")
        _stay_quiet(d)
    if d.due("quiet"):
        return _step(d) if close(d) else None
    if d.due("propose"):
        d.clock("propose", None)
        return Step("Propose", "the situation changed")
    return None


def _may_be_asked(incident: Incident) -> bool:
    """Whether there is anything to find out: something may fire, a person says it is over, or a source can answer."""
    clear = incident.state is State.MITIGATED and not incident.firing and not incident.many
    told = clear and not incident.resolve_asked_by and incident.kind != storm.KIND
    return not told or any(series.ask for series in incident.cleared.values())


def _stay_quiet(d: Deliberation) -> None:
    """Everything cleared, and no source of it can be asked: what was heard last counts."""
    quiet = max(d.team.timing.quiet_period, d.incident.quiet_seconds)
    d.set(cleared={})
    d.clock("quiet", d.later(quiet))
    why = "its source cannot be asked: what was heard last counts"
    d.decide("quiet-period", f"it closes after {quiet} s without news", why)


def _watch(d: Deliberation) -> None:
    """An open incident always has a deadline by which it is asked whether it is over: no lost resolve hangs it."""
    waits = d.incident.clocks
    if d.incident.over or "verify" in waits or "quiet" in waits:
        return
    if d.incident.state is State.MITIGATED:
        d.clock("verify", d.later(d.team.timing.quiet_period))
    elif "stale" not in waits:
        d.clock("stale", d.later(d.team.timing.stale_after))
