"""Incidents without an execution (noise, and alerts that are held because they often clear): what mail does to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.clock import instant
from incident_bot.domain.incident import Firing, Incident, State
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.timeline import Line

START_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Settled:
    """The incident after the mail, its new lines, and what becomes of its held page: `now`, `never` or nothing."""

    incident: Incident
    lines: tuple[Line, ...]
    page: str = ""
    reason: str = ""


def settle(incident: Incident, mails: Sequence[Mail], now: datetime, *, promote: bool = False) -> Settled:
    """Take mail in without an execution. It ends when nothing fires; `promote` gives it generation 1 and its page."""
    firing, lines, severity, alerts = dict(incident.firing), [], incident.severity, incident.alerts
    for mail in mails:
        lines.append(Line("signal", mail.text, mail.detail.get("joined", ""), mail.actor))
        if mail.kind is not MailKind.ALERT:
            continue
        if mail.detail["status"] == Status.FIRING:
            found = _firing(mail, now)
            alerts += mail.argument not in firing
            severity = min(severity, found.severity or severity)
            firing[mail.argument] = found
        elif mail.detail["status"] == Status.RESOLVED:
            firing.pop(mail.argument, None)
    after = replace(incident, firing=firing, severity=Severity(severity), alerts=alerts)
    if promote:
        reason = "another alert agrees: the hold is over"
        clocks = {**{k: v for k, v in after.clocks.items() if k != "hold"}, "start": now + START_WITHIN}
        lines.append(Line("decision", "it pages now", reason))
        return Settled(replace(after, generation=1, noise=False, clocks=clocks), tuple(lines), "now", reason)
    if firing:
        return Settled(after, tuple(lines))
    reason = "it cleared before its hold ended" if "hold" in incident.clocks else "noise that cleared"
    lines.append(Line("state", "the incident is resolved", reason))
    if "hold" in incident.clocks:
        lines.append(Line("decision", f"not paged: {incident.owner} would have been", reason))
    ended = replace(after, state=State.RESOLVED, resolved_at=now, clocks={})
    return Settled(ended, tuple(lines), "never", reason)


def _firing(mail: Mail, now: datetime) -> Firing:
    detail = mail.detail
    return Firing(
        group=detail["group"],
        title=detail["title"],
        source=detail["source"],
        since=instant(detail["since"]),
        seen=now,
        severity=Severity(int(detail["severity"])),
        service=detail["service"],
        resource=detail.get("resource", ""),
        ask=detail.get("ask", ""),
    )
