"""The postmortem draft: what the record alone can say of an incident, in Markdown, for people to correct and complete.

Every duration names its start and its end, and what was not measured is "no data", never 0. Foreign text is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from incident_bot.domain.clock import instant, rfc3339
from incident_bot.domain.incident import Incident
from incident_bot.domain.intent import Intent
from incident_bot.domain.plaintext import markdown
from incident_bot.domain.recommend import Case, recommendations
from incident_bot.domain.team import Service

NO_DATA = "no data"
ENTRIES_SHOWN = 400
CORRELATED = timedelta(hours=2)  # a deploy so shortly before the fault is a suspect

JUDGEMENTS: Mapping[str, str] = {
    "applied": "right: its check passed after it",
    "lifted": "right: its check passed after it, and it was taken back in time",
    "undone": "wrong: it did not help and was undone",
    "failed": "wrong: it did not go through",
    "partial": "partly: some targets were changed, others were not",
    "suspended": "unfinished: the kill switch stopped it half way",
    "rejected": "a person disagreed with the proposal",
    "expired": "nobody decided in time",
    "void": "overtaken: the incident ended first",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What the draft is made of beside the incident: its timeline entries, findings (`text`, `value`, `as_of`, `source`
    or `failure`), remediations, requests for approval (each as its item says) and the messages to people."""

    timeline: Sequence[Mapping[str, Any]] = ()
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    actions: Sequence[Mapping[str, Any]] = ()
    approvals: Sequence[Mapping[str, Any]] = ()
    intents: Sequence[Intent] = ()
    service: Service | None = None


def draft(incident: Incident, material: Material) -> str:
    """The draft as one Markdown document."""
    sections = (
        _summary(incident),
        _impact(incident, material),
        _times(incident, material),
        _deploys(incident, material),
        _decisions(incident, material),
        _helped(material),
        _findings(material),
        _timeline(material),
        _action_items(incident, material),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def first_page(intents: Iterable[Intent]) -> datetime | None:
    """When the first page reached somebody."""
    return min((sent.at for intent in intents if intent.pages for sent in intent.sent), default=None)


def _summary(incident: Incident) -> str:
    service = markdown(incident.service) or "an unknown service"
    owner = markdown(incident.owner) or "nobody"
    where = f"{service} ({markdown(incident.environment)}), owned by {owner}"
    lines = [
        f"# Postmortem draft: {markdown(incident.title)}",
        "",
        f"Incident `{incident.id}`, {incident.severity.label.capitalize()}, {where}.",
        "Drafted from the record; people correct, complete and publish it.",
        "",
        "## Summary",
        "",
        markdown(incident.summary) or markdown(incident.title),
    ]
    if incident.category:
        sure = f" (confidence {incident.confidence:.0%})" if incident.confidence else ""
        lines.append(f"Category: {markdown(incident.category)}{sure}.")
    if incident.reopens:
        lines.append(f"It reopens incident `{incident.reopens}`.")
    if incident.merged_into:
        lines.append(f"It was merged into incident `{incident.merged_into}`.")
    if incident.commander:
        lines.append(f"Incident commander: {markdown(incident.commander)}.")
    return "\n".join(lines)


def _impact(incident: Incident, material: Material) -> str:
    tier = f"tier {material.service.tier}" if material.service else "not configured, so its tier is unknown"
    end = incident.mitigated_at or incident.resolved_at
    ended = "mitigated" if incident.mitigated_at else "resolved"
    lasted = _span(incident.started_at, end)
    return "\n".join(
        (
            "## Impact",
            "",
            f"- Service: {markdown(incident.service) or 'unknown'} ({tier})",
            f"- Duration: {lasted} (from the fault's start by its source to {ended if end else 'its mitigation'})",
            f"- Series that alerted: {incident.alerts}",
            f"- Pages to people: {incident.pages}",
            f"- Requests, customers or money affected: {NO_DATA} (to be completed by people)",
        )
    )


def _times(incident: Incident, material: Material) -> str:
    paged = first_page(material.intents)
    rows = (
        ("Time to detect (M2)", "fault began", incident.started_at, "incident opened", incident.opened_at),
        ("Time to page (M6)", "incident opened", incident.opened_at, "first page taken by its provider", paged),
        ("Time to acknowledge (M11)", "first page", paged, "last acknowledgement", incident.acknowledged_at),
        ("Time to mitigate", "incident opened", incident.opened_at, "mitigated", incident.mitigated_at),
        ("Time to resolve (M1)", "incident opened", incident.opened_at, "resolved", incident.resolved_at),
    )
    lines = ["## Detection, response, mitigation", "", "| measure | from | to | duration |", "|---|---|---|---|"]
    for name, from_what, start, to_what, end in rows:
        lines.append(f"| {name} | {from_what} {_moment(start)} | {to_what} {_moment(end)} | {_span(start, end)} |")
    return "\n".join(lines)


def deploys(material: Material) -> list[Mapping[str, Any]]:
    """The deploys that enrichment found, each with its time."""
    value = material.facts.get("recent_deploys", {}).get("value") or ()
    return [deploy for deploy in value if isinstance(deploy, Mapping) and deploy.get("at")]


def is_suspect(deploy: Mapping[str, Any], incident: Incident) -> bool:
    """Whether it went live shortly before the fault began (or while it did)."""
    return timedelta(0) <= incident.started_at - instant(str(deploy["at"])) <= CORRELATED


def _deploys(incident: Incident, material: Material) -> str:
    lines = ["## Correlated deploys", ""]
    found = deploys(material)
    for deploy in found:
        before = incident.started_at - instant(str(deploy["at"]))
        when = "before the fault began" if before >= timedelta(0) else "after the fault began"
        suspect = " - **suspect**" if is_suspect(deploy, incident) else ""
        words = f", {markdown(str(deploy['description']))}" if deploy.get("description") else ""
        previous = f", before it {markdown(str(deploy['previous']))}" if deploy.get("previous") else ""
        what = f"{markdown(str(deploy.get('resource', '')))} {markdown(str(deploy.get('version', '')))}"
        lines.append(f"- {what}{words}, {_duration(abs(before))} {when}{previous}{suspect}")
    return "\n".join(lines if found else [*lines, f"- {NO_DATA}"])


def _decisions(incident: Incident, material: Material) -> str:
    lines = ["## What the bot decided, and whether it was right", "", f"- Paging: {_paging(incident, material)}"]
    for action in material.actions:
        rule = f", rule {markdown(str(action['rule']))}" if action.get("rule") else ""
        verdict = f" ({markdown(str(action['verdict']))}{rule})" if action.get("verdict") else ""
        state = str(action.get("state", ""))
        judged = JUDGEMENTS.get(state, f"{markdown(state)}: not tried, so whether it was right is unknown")
        reason = f"; {markdown(str(action['reason']))}" if action.get("reason") else ""
        lines.append(f"- {_what(action)}{verdict}: {judged}{reason}")
    for approval in material.approvals:
        lines += [
            f"- Approval `{markdown(str(approval.get('id', '')))}`: {markdown(str(vote.get('person', '')))} decided"
            f" {markdown(str(vote.get('decision', '')))}: {markdown(str(vote.get('reason', '')))}"
            for vote in approval.get("decisions", ())
        ]
    return "\n".join(lines)


def _paging(incident: Incident, material: Material) -> str:
    held = [i for i in material.intents if i.pages and i.state == "cancelled"]
    if first_page(material.intents) is None:
        why = f" ({markdown(held[0].outcome)})" if held and held[0].outcome else ""
        return f"nobody was paged{why}" if held or incident.noise else f"nobody was paged; why not: {NO_DATA}"
    if incident.acknowledged_by:
        return f"right: {markdown(incident.acknowledged_by)} acknowledged it"
    if any(action.get("state") in ("applied", "lifted") for action in material.actions):
        return "doubtful: it was mitigated without a person acknowledging the page"
    return "doubtful: nobody acknowledged the page, and the alert cleared by itself"


def _helped(material: Material) -> str:
    helped = [a for a in material.actions if a.get("state") in ("applied", "lifted")]
    lines = [f"- {_what(action)}: {markdown(str(action.get('text', ''))) or 'its check passed'}" for action in helped]
    return "\n".join(["## What helped", "", *(lines or [f"- {NO_DATA}: nothing that the bot did (people may know)"])])


def _findings(material: Material) -> str:
    if not material.facts:
        return ""
    lines = ["## What was known", ""]
    for name, fact in material.facts.items():
        if fact.get("text"):
            source = f"{markdown(str(fact['source']))}, " if fact.get("source") else ""
            lines.append(
                f"- {markdown(name)}: {markdown(str(fact['text']))} ({source}as of {markdown(str(fact['as_of']))})"
            )
        else:
            lines.append(f"- {markdown(name)}: {NO_DATA} ({markdown(str(fact.get('failure', '')))})")
    return "\n".join(lines)


def _timeline(material: Material) -> str:
    entries = list(material.timeline)
    lines = ["## Timeline", "", "| # | time (UTC) | who | kind | what | why |", "|---|---|---|---|---|---|"]
    for entry in entries[:ENTRIES_SHOWN]:
        cells = (entry["actor"], entry["kind"], entry["text"], entry["reason"])
        shown = " | ".join(markdown(str(cell)) for cell in cells)
        lines.append(f"| {entry['seq']} | {str(entry['at'])[:19].replace('T', ' ')} | {shown} |")
    if len(entries) > ENTRIES_SHOWN:
        lines += ["", f"{len(entries) - ENTRIES_SHOWN} more entries are in the record."]
    return "\n".join(lines)


def _action_items(incident: Incident, material: Material) -> str:
    paged = first_page(material.intents)
    case = Case(
        incident=incident,
        service=material.service,
        paged_at=paged,
        suspects=tuple(str(d.get("version", "")) for d in deploys(material) if is_suspect(d, incident)),
        actions=tuple(
            (str(a.get("action", "")), str(a.get("state", "")), str(a.get("mode", ""))) for a in material.actions
        ),
        escalations=sum(1 for i in material.intents if i.purpose == "escalation" and i.state == "sent"),
        fallbacks=sum(1 for i in material.intents for sent in i.sent if sent.channel == "fallback"),
        findings_failed=tuple(name for name, fact in material.facts.items() if fact.get("failure")),
    )
    owner = markdown(incident.owner) or "nobody yet"
    lines = ["## Action items", "", f"- [ ] Write down the root cause (owner: {owner})"]
    lines.append(f"- [ ] Complete the impact on customers (owner: {owner})")
    lines += [f"- [ ] {markdown(r.text)} (rule: {r.rule}; owner: {owner})" for r in recommendations(case)]
    return "\n".join(lines)


def _what(action: Mapping[str, Any]) -> str:
    steps = action.get("plan", {}).get("steps", ())
    targets = ", ".join(markdown(str(step.get("target", ""))) for step in steps[:4])
    return f"{markdown(str(action.get('action', '')))} on {targets or markdown(str(action.get('target', '')))}"


def _moment(moment: datetime | None) -> str:
    return f"({rfc3339(moment)[:19]}Z)" if moment else f"({NO_DATA})"


def _span(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return NO_DATA
    # Two clocks may disagree; a span that would be negative was not measured.
    return _duration(end - start) if end >= start else NO_DATA


def _duration(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
