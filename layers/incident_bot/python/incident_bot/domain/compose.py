"""The messages people read: what happened, why they are told, what is known, what the bot does, and what they can do.

What an intent's `details` may carry, beside whatever else a stage wants shown: `approval`, `digest`, `action`,
`target`, `plan` and `expires_at` (an approval is asked), `undo` (how to put things back by hand). Everything foreign
goes in through `line`, so that an alert can neither forge a line of the message nor bring a live link or mention in.
"""

from collections.abc import Mapping
from datetime import datetime

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import ActionState, Incident
from incident_bot.domain.intent import Intent
from incident_bot.domain.message import Kind, Message
from incident_bot.domain.plaintext import line, plain
from incident_bot.domain.rota import Recipients, names
from incident_bot.domain.team import Service, Team

SERIES_SHOWN = 5
FACTS_SHOWN = 8
TITLE_LIMIT = 250

LEADS: Mapping[str, str] = {
    "escalation": "Not acknowledged: ",
    "worsened": "Worse: ",
    "spread": "Spreads: ",
    "reassigned": "Yours now: ",
    "undo": "Undo needed: ",
    "resolve": "Resolved: ",
    "acknowledge": "Acknowledged: ",
    "update": "Update: ",
}
IN_VAIN = frozenset({"undone", "failed", "partial"})
WAKES_ANEW = frozenset({"escalation", "worsened", "spread", "reassigned", "undo"})


def key(incident: str, name: str) -> str:
    """The key of the intended effect: the same at every attempt, so that a provider can tell a repeat."""
    return f"{incident}.{name}"


def thread(incident: str, name: str, purpose: str) -> str:
    """Under which key a provider groups messages: the incident's id, and one of its own for each later page that is to
    wake somebody, because a provider takes a second trigger of an acknowledged alert for a repeat and wakes nobody."""
    return key(incident, name) if purpose in WAKES_ANEW else incident


def compose(
    incident: Incident,
    intent: Intent,
    recipients: Recipients,
    team: Team,
    now: datetime,
    *,
    facts: Mapping[str, str] | None = None,
) -> Message:
    """The message of that intent to those people; `facts` maps what was found out to its text, with its age."""
    service = team.services.get(incident.service)
    severity = min(intent.severity, incident.severity)
    runbook = service.runbook if service else ""
    sections = (
        _opening(incident, intent, severity, service, now),
        _addressees(recipients, team),
        _known(incident, facts or {}),
        _doing(incident),
        _left(incident, team),
        _approval(intent.details),
        _undoing(intent.details),
        _next_steps(incident, intent, runbook),
    )
    return Message(
        key=key(incident.id, intent.name),
        thread=thread(incident.id, intent.name, intent.purpose),
        kind=intent.kind,
        severity=severity,
        title=_title(incident, intent, severity),
        text=plain("\n\n".join(section for section in (*sections, plain(intent.text, 4000)) if section)),
        service=line(incident.service, 100),
        incident=incident.id,
        to=recipients.people,
        links={"Runbook": runbook} if _is_link(runbook) else {},
        details=_details(incident, intent, severity),
    )


def bare(incident: str, intent: Intent, recipients: Recipients) -> Message:
    """The least that can be said, when the full message cannot be composed: a page goes out all the same."""
    title = line(f"[{_label(intent.severity)}] Incident {incident}: {intent.reason}", TITLE_LIMIT)
    text = plain(f"{title}\n\nThe full message could not be composed.\nAll of it: incidentbot show {incident}")
    return Message(
        key=key(incident, intent.name),
        thread=thread(incident, intent.name, intent.purpose),
        kind=intent.kind,
        severity=intent.severity,
        title=title,
        text=text,
        service="",
        incident=incident,
        to=recipients.people,
    )


def _title(incident: Incident, intent: Intent, severity: Severity) -> str:
    lead = "Approval asked: " if intent.details.get("approval") else LEADS.get(intent.purpose, "")
    where = f"{line(incident.service, 100)}: " if incident.service else ""
    return line(f"[{_label(severity)}] {lead}{where}{line(incident.title)}", TITLE_LIMIT)


def _opening(incident: Incident, intent: Intent, severity: Severity, service: Service | None, now: datetime) -> str:
    tier = f", tier {service.tier}" if service else ", not a configured service"
    where = f"{line(incident.service, 100) or 'unknown service'} ({line(incident.environment, 50)}{tier})"
    lines = [
        f"{_label(severity)} on {where}, {incident.state}, since {_clock(incident.started_at)} ({_age(incident, now)})",
        f"Why you are told: {line(intent.reason)}",
    ]
    if incident.evidence:
        lines.append(f"Confidence {incident.confidence:.0%}: {line(incident.evidence, 600)}")
    if incident.acknowledged_by and incident.acknowledged_at:
        lines.append(f"Acknowledged by {line(incident.acknowledged_by, 100)} at {_clock(incident.acknowledged_at)}")
    return "\n".join(lines)


def _addressees(recipients: Recipients, team: Team) -> str:
    lines = []
    if recipients.people:
        lines.append(f"To: {line(names(recipients.people, team))} ({line('; '.join(recipients.reasons))})")
    if recipients.missing:
        lines.append(f"Nobody is on call: {line('; '.join(recipients.missing))}; so the fallback is told as well")
    return "\n".join(lines)


def _known(incident: Incident, facts: Mapping[str, str]) -> str:
    lines = [f"- {line(incident.summary)}"] if incident.summary else []
    firing = sorted(incident.firing.values(), key=lambda f: (f.severity or Severity.SEV5, f.since))
    for series in firing[:SERIES_SHOWN]:
        where = f" on {line(series.resource, 200)}" if series.resource else ""
        lines.append(f"- fires: {line(series.title)}{where} ({line(series.source, 50)}, since {_clock(series.since)})")
    if len(firing) > SERIES_SHOWN:
        lines.append(f"- and {len(firing) - SERIES_SHOWN} more series fire")
    lines += [f"- {line(name, 50)}: {line(text)}" for name, text in list(facts.items())[:FACTS_SHOWN]]
    return "\n".join(["What is known:", *lines]) if lines else ""


def _doing(incident: Incident) -> str:
    lines = [f"- {_action(identifier, action)}" for identifier, action in incident.actions.items()]
    return "\n".join(["What the bot does:", *lines]) if lines else ""


def _action(identifier: str, action: ActionState) -> str:
    waits = f", waits for approval {action.approval}" if action.state == "proposed" and action.approval else ""
    return f"{line(action.action, 100)} on {line(action.target, 200)}: {line(action.state, 50)}{waits} ({identifier})"


def _left(incident: Incident, team: Team) -> str:
    """What is left where something was tried in vain: the playbooks that had no turn yet, and what people can do."""
    tried = {action.playbook for action in incident.actions.values()}
    if not any(action.state in IN_VAIN for action in incident.actions.values()):
        return ""
    fitting = {name for firing in incident.firing.values() for name in firing.playbooks}
    waiting = [p for p in team.playbooks if p.name in fitting and p.name not in tried]
    lines = [f"- playbook {line(p.name, 100)}: {line(p.action, 100)}" for p in waiting]
    yours = f'your own judgement: incidentbot propose {incident.id} ACTION TARGET --reason "..."'
    lines.append(f"- {yours}" if lines else f"- no other playbook fits, so {yours}")
    return "\n".join(["What is left:", *lines])


def _approval(details: Mapping[str, str]) -> str:
    approval, digest = details.get("approval", ""), details.get("digest", "")
    if not approval:
        return ""
    target = f" on {line(details['target'], 200)}" if details.get("target") else ""
    lines = [f"Your approval is asked: {line(details.get('action', 'an action'), 100)}{target}"]
    if details.get("plan"):
        lines.append(plain(details["plan"], 2000))
    if details.get("expires_at"):
        lines.append(f"It expires at {line(details['expires_at'], 50)}.")
    lines.append(f'To approve: incidentbot approve {line(approval, 100)} --digest {line(digest, 100)} --reason "..."')
    lines.append(f'To reject: incidentbot reject {line(approval, 100)} --reason "..."')
    return "\n".join(lines)


def _undoing(details: Mapping[str, str]) -> str:
    return f"To undo it by hand:\n{plain(details['undo'], 3000)}" if details.get("undo") else ""


def _next_steps(incident: Incident, intent: Intent, runbook: str) -> str:
    lines = [f"Runbook: {line(runbook)}"] if runbook and not _is_link(runbook) else []
    if intent.kind is Kind.TRIGGER:
        lines.append(f"To acknowledge: incidentbot ack {incident.id}")
    lines.append(f"All of it: incidentbot show {incident.id}")
    return "\n".join(lines)


def _details(incident: Incident, intent: Intent, severity: Severity) -> dict[str, str]:
    found = {
        "incident": incident.id,
        "severity": severity.label,
        "state": str(incident.state),
        "environment": incident.environment,
        "team": intent.group,
        "purpose": intent.purpose,
        "reason": intent.reason,
        "alerts": str(incident.alerts),
        **intent.details,
    }
    return {line(name, 50): plain(text, 2000) for name, text in found.items() if text}


def _label(severity: Severity) -> str:
    return severity.label.capitalize()


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _age(incident: Incident, now: datetime) -> str:
    seconds = max(0, int((now - incident.started_at).total_seconds()))
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://"))
