"""Close: resolve the incident on condition that nothing changed meanwhile, close its page, and draft the postmortem."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from incident_bot.actor.draft import draft
from incident_bot.actor.turn import cleared, owned
from incident_bot.domain.errors import Conflict
from incident_bot.domain.head import without
from incident_bot.domain.incident import Escalation, Incident, State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import move
from incident_bot.domain.message import Kind
from incident_bot.domain.timeline import Line
from incident_bot.stage import stage
from incident_bot.state import heads, incidents, intents, keys, mailbox, series
from incident_bot.world import ABSENT, Check, World, Write


def close(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Commit the end on generation, version, the head's version and an empty box; refused, it goes on waiting."""
    incident = owned(world, event)
    if incident is None or incident.over:
        return {"closed": False}
    head = heads.read(world.store, incident.scope)
    box = mailbox.read(world, incident)
    if box.mails or box.looks or _firing_elsewhere(world, incident):
        return _refused(world, incident, "news came in")
    after, resolve = _ended(world, incident)
    writes: list[Write] = [
        heads.write(incident.scope, head, without(head, incident.id)),
        Check(keys.box(incident.id), {"number": box.number, "looks": ABSENT}),
        *([intents.opening(resolve, world.now())] if resolve else []),
    ]
    line = Line("closure", "the incident is resolved", incident.step.reason if incident.step else "it stayed quiet")
    try:
        after = incidents.commit(world, incident, after, [line], writes)
    except Conflict:
        return _refused(world, incidents.read(world.store, incident.id), "something changed while it closed")
    draft(world, after)
    return {"closed": True}


def _ended(world: World, incident: Incident) -> tuple[Incident, Intent | None]:
    """The incident resolved: only the clocks that lift mitigations go on, open requests for approval are void."""
    lifts = {name: at for name, at in incident.clocks.items() if name.startswith("lift:")}
    open_ones = {a: replace(s, state="expired") for a, s in incident.actions.items() if s.state in ("proposed", "busy")}
    after = replace(
        cleared(incident, "Close"),
        state=move(incident.state, State.RESOLVED),
        resolved_at=world.now(),
        clocks=lifts,
        actions={**incident.actions, **open_ones},
    )
    if not any(intent.pages and intent.attempts for intent in intents.of(world.store, incident.id)):
        return after, None  # nothing stands at a provider, nor may
    escalation = incident.escalation or Escalation(incident.owner)
    resolve = Intent(
        incident=incident.id,
        name="resolve",
        purpose="resolve",
        kind=Kind.RESOLVE,
        severity=incident.severity,
        group=escalation.group,
        steps=escalation.steps[:1],
        reason="the incident is resolved",
    )
    return replace(after, step=Step("Page", "the page is to be closed at the provider")), resolve


def _firing_elsewhere(world: World, incident: Incident) -> bool:
    """With more series than the incident lists, only the table knows whether all of them ended."""
    if not incident.many:
        return bool(incident.firing)
    groups = heads.read(world.store, incident.scope).of(incident.id)
    return any(s.group in groups for s in series.firing(world.store, incident.scope))


def _refused(world: World, incident: Incident, reason: str) -> dict[str, Any]:
    after = cleared(incident, "Close")
    clocks = {**after.clocks, "verify": world.now()}
    incidents.commit(
        world, incident, replace(after, clocks=clocks), [Line("decision", "it does not close yet", reason)]
    )
    return {"closed": False, "reason": reason}


handler = stage(close)
