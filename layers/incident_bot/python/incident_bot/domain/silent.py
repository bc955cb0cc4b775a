"""Incidents without an execution (noise, and alerts that are held because they often clear): what mail does to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.mail import Mail, MailKind, firing_in, leaves
from incident_bot.domain.opening import START_WITHIN
from incident_bot.domain.owner import rerooted
from incident_bot.domain.rulebook import RuleName, told
from incident_bot.domain.suppress import UNMUTED
from incident_bot.domain.team import Team
from incident_bot.domain.timeline import Line


@dataclass(frozen=True, slots=True)
class Settled:
    """The incident after the mail, its new lines, and what becomes of its held page: `now`, `never` or nothing."""

    incident: Incident
    lines: tuple[Line, ...]
    page: str = ""
    reason: str = ""
    not_before: datetime | None = None  # a page that goes `now` waits until then


def settle(incident: Incident, mails: Sequence[Mail], team: Team, now: datetime, *, promote: bool = False) -> Settled:
    """Take mail in without an execution. It ends when nothing fires; `promote` gives it generation 1 and its page."""
    lines = [line for mail in mails for line in _lines(mail)]
    if incident.over:
        return Settled(incident, tuple(lines))
    after = incident
    for mail in mails:
        after = _taken(after, mail, team, now)
    if after.merged_into:
        return _ended(after, lines, "merged", f"merged into {after.merged_into}", now)
    if not after.firing and not after.many:
        cleared = "it cleared before its hold ended" if "hold" in incident.clocks else "noise that cleared"
        return _ended(after, lines, "cleared", cleared, now)
    if promote:
        return _promoted(after, lines, mails, team, now)
    return Settled(after, tuple(lines))


def _lines(mail: Mail) -> list[Line]:
    muted = mail.detail.get("muted", "")
    said = Line("signal", mail.text, mail.detail.get("joined", ""), mail.actor, told(mail.detail, "joined_by"))
    because, rule = mail.detail.get("muted_by", ""), told(mail.detail, "muted_rule")
    return [said, Line("decision", muted, because, rule=rule)] if muted else [said]


def _taken(incident: Incident, mail: Mail, team: Team, now: datetime) -> Incident:
    late = mail.kind is MailKind.ALERT and bool(mail.detail.get("late"))
    if late or (mail.kind is MailKind.ALERT and mail.detail["status"] == Status.FIRING):
        found = firing_in(mail, now)
        counts = incident.severity if mail.detail.get("noise") and not incident.noise else found.severity
        return replace(
            incident.believing(mail.detail),
            firing=incident.firing if late else {**incident.firing, mail.argument: found},
            fingerprints=incident.remembering((mail.argument,)),
            severity=Severity(min(incident.severity, counts or incident.severity)),
            alerts=incident.alerts + bool(mail.detail.get("new")),
        )
    if mail.kind is MailKind.ALERT and mail.detail["status"] == Status.RESOLVED:
        return replace(incident, firing={f: s for f, s in incident.firing.items() if f != mail.argument})
    if mail.kind is MailKind.ROOT:
        return rerooted(incident, mail.argument, team)
    if mail.kind is MailKind.MOVED_IN:
        return replace(incident, many=True)  # what came with it, its execution finds in the table
    if mail.kind is MailKind.MOVED_OUT and mail.detail.get("emptied"):
        return replace(incident, firing={}, merged_into=mail.detail.get("to", ""))
    if mail.kind is MailKind.MOVED_OUT:
        return replace(incident, firing={f: s for f, s in incident.firing.items() if not leaves(mail, f, s)})
    return incident


def _promoted(incident: Incident, lines: Sequence[Line], mails: Sequence[Mail], team: Team, now: datetime) -> Settled:
    """It gets an execution. It pages where its page was held, or where what joined it pages; a held page may wait for
    the configured grace yet."""
    held = "hold" in incident.clocks
    grace = now + timedelta(seconds=team.timing.agreed_grace)
    until = min(incident.clocks["hold"], grace) if held and grace > now else None
    clocks = {**{k: v for k, v in incident.clocks.items() if k != "hold"}, "start": now + START_WITHIN}
    clocks |= {"hold": until} if until else {}
    severity = incident.severity if held else _severity(incident, mails)
    after = replace(incident, generation=1, noise=False, clocks=clocks, severity=severity)
    unmuted = any(mail.detail.get("joined") == UNMUTED for mail in mails)
    rule: RuleName = "agreed" if held else "unmuted" if unmuted else "noise-no-more"
    reason = UNMUTED if unmuted else "what joined it is no noise"
    reason = "another alert agrees, or it got worse: the hold is over" if held else reason
    if held or any(mail.detail.get("pages") for mail in mails):
        said = f"it pages at {until:%H:%M:%S} UTC" if until else "it pages now"
        return Settled(after, (*lines, Line("decision", said, reason, rule=rule)), "now", reason, until)
    return Settled(after, (*lines, Line("decision", "it is worked on now", reason, rule=rule)), "", reason)


def _severity(incident: Incident, mails: Sequence[Mail]) -> Severity:
    """As bad as what is no noise of it: how bad noise would have been counts for nothing."""
    told = [m.detail for m in mails if m.kind is MailKind.ALERT and not m.detail.get("noise")]
    return min((Severity(int(detail["severity"])) for detail in told), default=incident.severity)


def _ended(incident: Incident, lines: Sequence[Line], rule: RuleName, reason: str, now: datetime) -> Settled:
    """It is over. Whom its held page would have woken is on the record."""
    ended = [Line("state", "the incident is resolved", reason)]
    if "hold" in incident.clocks:
        ended.append(Line("decision", f"not paged: {incident.owner} would have been", reason, rule=rule))
    after = replace(incident, state=State.RESOLVED, resolved_at=now, clocks={})
    return Settled(after, (*lines, *ended), "never", reason)
