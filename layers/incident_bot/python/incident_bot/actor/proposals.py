"""What a playbook proposes for an incident: picked, planned, judged, and written on the incident's record."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from incident_bot import remedy
from incident_bot.actor.turn import AWAIT, Order, cleared, ordered
from incident_bot.domain.clock import rfc3339
from incident_bot.domain.errors import IncidentBotError
from incident_bot.domain.incident import ActionState, Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import move
from incident_bot.domain.message import Kind
from incident_bot.domain.policy import Verdict
from incident_bot.domain.team import Playbook
from incident_bot.domain.timeline import Line
from incident_bot.remedy import Origin, Proposal
from incident_bot.state import incidents, intents
from incident_bot.world import World, Write

UNDER_WAY = ("proposed", "approved", "running", "suspended")


@dataclass(frozen=True, slots=True)
class Pick:
    """One playbook's turn: its proposal, or why it has none."""

    playbook: Playbook
    proposal: Proposal | None
    reason: str = ""


def picked(world: World, incident: Incident) -> list[Pick]:
    """Every playbook that was looked at, in the configured order, up to the first that may act or ask."""
    picks: list[Pick] = []
    if incident.over or _under_way(incident):
        return picks
    for playbook, service in _matching(world, incident):
        picks.append(_planned(world, incident, playbook, service))
        proposal = picks[-1].proposal
        if proposal and proposal.decision.verdict is not Verdict.DENY:
            break
    return picks


def _under_way(incident: Incident) -> bool:
    return any(action.state in UNDER_WAY for action in incident.actions.values())


def _matching(world: World, incident: Incident) -> Iterator[tuple[Playbook, str]]:
    """The playbooks that fit what fires now and had no turn yet, each with the service it fits."""
    for playbook in world.team.playbooks:
        fits = (
            firing.service or incident.service
            for firing in incident.firing.values()
            if playbook.name in firing.playbooks
        )
        service = next(fits, "")
        if service and not remedy.tried(world, incident, playbook):
            yield playbook, service


def _planned(world: World, incident: Incident, playbook: Playbook, service_name: str) -> Pick:
    try:
        service, targets, rest = remedy.candidates(world, incident, playbook, service_name)
        plan = remedy.plan_of(world, playbook.action, service, targets, playbook.parameters)
    except IncidentBotError as error:
        return Pick(playbook, None, f"it could not be planned: {error.reason}")
    decision = remedy.judge(world, plan, service, playbook)
    return Pick(playbook, remedy.drafted(world, incident, service, plan, decision, origin=Origin(playbook, rest=rest)))


def recorded(world: World, incident: Incident, picks: list[Pick]) -> Order:
    """Commit what was decided: actions, approval, lines, messages and the next step, in one transaction."""
    proposals = [pick.proposal for pick in picks if pick.proposal]
    chosen = next((p for p in proposals if p.decision.verdict is not Verdict.DENY), None)
    numbered = _last(proposals)
    after = cleared(incident, "Propose")
    if numbered:
        after = replace(after, actions={**after.actions, numbered.remediation.id: numbered.standing()})
    lines = [_line(pick) for pick in picks]
    if chosen and chosen.decision.verdict is Verdict.ALLOW:
        begun = _begun(after, chosen)
        if begun.state is not after.state:
            lines.append(Line("state", f"the incident is {begun.state}", "an action starts"))
        after = begun
        after = incidents.commit(world, incident, after, lines, chosen.writes())
        return {**_next(after), "verdict": "allow", "action": chosen.remediation.id}
    reason = "; ".join(line.reason for line in lines) or "no playbook fits"
    messages: list[Write] = []
    if not _under_way(incident):  # what is under way holds the page until its own result lets it go
        messages, after = _messages(world, after, chosen, reason)
    if messages and after.step is None:
        after = replace(after, step=Step("Page", "people are told what is proposed, or that nothing is"))
    if chosen and chosen.approval:
        after = replace(after, clocks={**after.clocks, "approval": chosen.approval.expires_at})
    also: list[Write] = numbered.writes() if numbered else []
    if after != incident or lines or also or messages:
        after = incidents.commit(world, incident, after, lines, [*also, *messages])
    verdict = chosen.decision.verdict.value if chosen else "deny" if proposals else "none"
    return {**_next(after), "verdict": verdict, "action": numbered.remediation.id if numbered else ""}


def _next(incident: Incident) -> Order:
    """A remediation that is allowed begins at once; everything else is a turn of the actor's."""
    begins = incident.step if incident.step and incident.step.name == "Remediate" else None
    return ordered(incident, begins) if begins else AWAIT


def _last(proposals: list[Proposal]) -> Proposal | None:
    """The proposal that is recorded: what may act or ask, or else the last denied one; all carry the next number."""
    return proposals[-1] if proposals else None


def _begun(incident: Incident, chosen: Proposal) -> Incident:
    """The remediation is the next step at once; where another step still waits, the actor takes it after that."""
    name = chosen.remediation.id
    if incident.step is not None:
        return incident
    running = replace(chosen.standing(), state="running", attempts=1)
    actions: dict[str, ActionState] = {**incident.actions, name: running}
    state = move(incident.state, State.ACTIVE) if incident.state is State.TRIAGED else incident.state
    step = Step("Remediate", f"allowed: {chosen.decision.reason}", name, "apply")
    return replace(incident, actions=actions, state=state, step=step)


def _line(pick: Pick) -> Line:
    if pick.proposal is None:
        return Line("decision", f"playbook {pick.playbook.name} proposes nothing", pick.reason)
    remediation, decision = pick.proposal.remediation, pick.proposal.decision
    text = (
        f"playbook {pick.playbook.name}: {remediation.action}, {remediation.plan.text}; guardrails {decision.verdict}"
    )
    return Line("decision", text, f"{decision.rule}: {decision.reason}")


def _messages(world: World, incident: Incident, chosen: Proposal | None, reason: str) -> tuple[list[Write], Incident]:
    """Let a held page go, with the question in it; where none is held, the question is an update of its own."""
    now, text = world.now(), _why(world, chosen) if chosen else ""
    details = _details(chosen) if chosen else {}
    held = next((i for i in intents.of(world.store, incident.id) if _is_held(i, world)), None)
    if held:
        asked = {**held.details, **details}
        going = replace(held, not_before=now, reason=f"{held.reason}; {reason}", text=text or held.text, details=asked)
        clocks = {name: at for name, at in incident.clocks.items() if name != "hold"}
        return [intents.changing(going, held, now)], replace(incident, clocks=clocks)
    if chosen is None:
        return [], incident
    escalation = incident.escalation
    update = Intent(
        incident=incident.id,
        name=f"approval-{chosen.remediation.approval}",
        purpose="update",
        kind=Kind.UPDATE,
        severity=incident.severity,
        group=escalation.group if escalation else incident.owner,
        steps=escalation.steps[escalation.step : escalation.step + 1] if escalation else (),
        reason=f"approval wanted: {chosen.remediation.action}",
        text=text,
        details=details,
    )
    return [intents.opening(update, now)], incident


def _is_held(intent: Intent, world: World) -> bool:
    return bool(intent.pages and intent.state == "pending" and intent.not_before and intent.not_before > world.now())


def _why(world: World, chosen: Proposal) -> str:
    playbook = next((p for p in world.team.playbooks if p.name == chosen.remediation.playbook), None)
    asked = f"Asked because of {chosen.decision.rule}: {chosen.decision.reason}"
    return "\n".join(part for part in (playbook.helps if playbook else "", asked) if part)


def _details(chosen: Proposal) -> dict[str, str]:
    """What a message shows of the request for approval."""
    remediation = chosen.remediation
    expires = {"expires_at": rfc3339(chosen.approval.expires_at)} if chosen.approval else {}
    return {
        "approval": remediation.approval,
        "digest": remediation.digest,
        "action": remediation.action,
        "target": ", ".join(remediation.plan.targets),
        "plan": remediation.plan.text,
        **expires,
    }
