"""`policy explain` tells what the configuration makes of an alert or a plan, and which rule decides."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from incident_bot.cli import payloads
from incident_bot.cli.session import Session, safe, session_of
from incident_bot.cli.teams import placed
from incident_bot.domain import policy, shape
from incident_bot.domain.alert import Alert
from incident_bot.domain.cause import topology_of
from incident_bot.domain.classify import classify, holding, playbook_fields
from incident_bot.domain.errors import Invalid
from incident_bot.domain.label import Tally
from incident_bot.domain.match import matches
from incident_bot.domain.plan import Plan
from incident_bot.domain.policy import Decision, Situation
from incident_bot.domain.score import Evidence, believed, score
from incident_bot.domain.suppress import planned, suppress
from incident_bot.domain.team import Playbook, Service, Team

EXPLAIN = """Say what the configuration makes of an alert, or of a plan, and which rule decides.

FILE is an alert's payload, or an action (or an incident with its actions) as `show --json` prints it. The kill switch,
what ran before, and what else alerts now are taken as: off, and nothing.

Examples:

  incidentbot policy explain alert.json

  incidentbot policy explain alert.json --false-positive 7

  incidentbot show 0m5k2v1xq3a7fzc --json > incident.json && incidentbot policy explain incident.json
"""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    group = typer.Typer(help="The guardrails and rules.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("explain", help=EXPLAIN)(explain)
    app.add_typer(group, name="policy")


def explain(  # noqa: PLR0917 - Typer passes each by its name
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    config: Annotated[Path, typer.Option(help="The team's configuration.", exists=True, file_okay=False)] = Path(
        "config"
    ),
    source: Annotated[str, typer.Option(help="Whose payload it is, where the file does not tell.")] = "",
    actionable: Annotated[int, typer.Option(min=0, help="Suppose that many of its incidents were labelled so.")] = 0,
    false_positive: Annotated[int, typer.Option(min=0, help="Suppose that many were labelled so.")] = 0,
) -> None:
    """Explain an alert or a plan."""
    session = session_of(context)
    text = file.read_text(errors="replace")
    team = placed(config, text)
    actions = [] if source else _actions(text)
    explained = (
        [_plan(action, team, session.around.now()) for action in actions]
        if actions
        else [
            _alert(alert, team, Tally(actionable, false_positive), session.around.now())
            for alert in _alerts(session, file, source, team)
        ]
    )
    session.tell(explained, *(line for entry in explained for line in _lines(entry)))


def _alerts(session: Session, file: Path, source: str, team: Team) -> Sequence[Alert]:
    at = session.around.now()
    parsed = payloads.parsed(payloads.payload(file, at, source, lambda: team.custom), at)
    for rejected in parsed.rejected:
        session.say(safe(f"alert {rejected.index} is rejected: {rejected.field}: {rejected.reason}"))
    if not parsed.alerts:
        raise Invalid("no alert in it can be read", where=str(file))
    return parsed.alerts


def _alert(alert: Alert, team: Team, tally: Tally, at: datetime) -> dict[str, Any]:
    """What becomes of an alert by configuration alone."""
    classified = classify(alert, team)
    dependants = len(topology_of(team.services).downstream(classified.service))
    evidence = Evidence(tally, dependants=dependants, burn=classified.burn)
    believing = score(evidence, team.services.get(classified.service), team.confidence)
    found, suppression = suppress(alert, believed(classified, believing, team), planned(team, at), team, at)
    fields = playbook_fields(alert, found)
    matching = [playbook for playbook in team.playbooks if matches(playbook.when, fields)]
    holder = holding(found, team, {})
    return {
        "alert": alert.title,
        "source": alert.source,
        "status": alert.status.value,
        "fingerprint": alert.fingerprint,
        "service": found.service,
        "owner": found.owner,
        "severity": found.severity.label,
        "category": found.category,
        "rule": found.rule,
        "pages": found.pages,
        "noise": found.noise,
        "suppressed_by": suppression.window.name if suppression else "",
        "hold_seconds": holder.hold_page_seconds if holder and found.pages else found.hold_seconds,
        "reason": found.reason,
        "confidence": believing.value,
        "evidence": [] if found.noise else [asdict(point) for point in believing.points],
        "playbooks": [_offer(playbook) for playbook in matching],
    }


def _offer(playbook: Playbook) -> dict[str, str]:
    return {
        "playbook": playbook.name,
        "action": playbook.action,
        "target": playbook.target,
        "mode": playbook.mode.value,
    }


@dataclass(frozen=True, slots=True)
class _Planned:
    """An action of a document: its plan, and who or what asks for it."""

    name: str
    plan: Plan
    playbook: str
    requester: str


def _actions(text: str) -> list[_Planned]:
    """The actions in an incident, an action or a bare plan; empty where the document is none of them."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    if not isinstance(document, Mapping):
        return []
    candidates = document.get("actions") if isinstance(document.get("actions"), list) else [document]
    return [_planned(entry) for entry in candidates or () if isinstance(entry, Mapping) and _has_plan(entry)]


def _has_plan(entry: Mapping[str, Any]) -> bool:
    plan = entry.get("plan", entry)
    return isinstance(plan, Mapping) and isinstance(plan.get("steps"), list) and "action" in plan


def _planned(entry: Mapping[str, Any]) -> _Planned:
    try:
        plan = shape.load(Plan, entry.get("plan", entry))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"is no plan as `show --json` prints it: {type(error).__name__} {error}", where="plan") from error
    return _Planned(str(entry.get("id", plan.action)), plan, entry.get("playbook", ""), entry.get("requester", ""))


def _plan(planned: _Planned, team: Team, now: datetime) -> dict[str, Any]:
    """What the guardrails say to a plan."""
    playbook = next((p for p in team.playbooks if p.name == planned.playbook), None)
    service = _service(planned.plan, team)
    decision: Decision = policy.decide(
        Situation(
            now=now,
            plan=planned.plan,
            service=service,
            guardrails=team.guardrails,
            kill_switch="",
            mode=playbook.mode if playbook else None,
            playbook=planned.playbook,
            requester=planned.requester,
        )
    )
    told = {"action": planned.name, "service": service.name if service else "", "digest": planned.plan.digest}
    return {**told, **asdict(decision), "verdict": decision.verdict.value}


def _service(plan: Plan, team: Team) -> Service | None:
    targets = set(plan.targets)
    return next((s for s in team.services.values() if targets & {r.arn for r in s.resources}), None)


def _lines(entry: Mapping[str, Any]) -> Iterator[str]:
    if "verdict" in entry:
        yield safe(f"{entry['action']}: {entry['verdict']} by {entry['rule']}: {entry['reason']}")
        return
    pages = "pages" if entry["pages"] else "does not page"
    hold = f" after holding it {entry['hold_seconds']} s" if entry["hold_seconds"] and entry["pages"] else ""
    yield safe(f"{entry['alert']} ({entry['source']}, {entry['status']})")
    yield safe(f"  {entry['service']} of {entry['owner']}, {entry['severity']}, {pages}{hold}")
    yield safe(f"  rule {entry['rule'] or 'none'}: {entry['reason']}")
    for point in entry["evidence"]:
        yield safe(f"  confidence {point['points']:+.0%} {point['rule']}: {point['why']}")
    for offer in entry["playbooks"]:
        yield f"  playbook {offer['playbook']} ({offer['mode']}): {offer['action']} on {offer['target']}"
