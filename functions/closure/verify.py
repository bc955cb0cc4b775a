"""Verify: ask the source once whether the fault is really gone, before the quiet period begins."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from incident_bot import plugins
from incident_bot.actor.turn import cleared, owned
from incident_bot.domain import storm
from incident_bot.domain.advance import OF_ALERTS
from incident_bot.domain.alert import Status
from incident_bot.domain.incident import Firing, Incident, State
from incident_bot.domain.lifecycle import move
from incident_bot.domain.timeline import Line
from incident_bot.paging import storms
from incident_bot.stage import logger, stage
from incident_bot.state import incidents, mailbox, series
from incident_bot.world import Clients, World, Write


class Opinion(NamedTuple):
    """Whether a series fires, why that is believed, and whether its source was asked."""

    fires: bool
    said: str
    by_source: bool = False


def verify(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Ask about every series, also those said to be over; returns {"firing": how many fire, "asked": how many}."""
    incident = owned(world, event)
    if incident is None or incident.over:
        return {"fenced": True}
    before, (incident, opinions) = incident, _asked(world, incident)
    series_in_question = {**incident.cleared, **incident.firing}
    still = {f: series_in_question[f] for f, opinion in opinions.items() if opinion.fires}
    lines = [Line("decision", f"{series_in_question[f].title}: {o.said}") for f, o in opinions.items()]
    after = cleared(replace(incident, firing=still, cleared={}), "Verify")
    after, why = _still_fires(world, after, still) if still else _recovered(world, after, opinions)
    if after.state is not before.state:
        lines.append(Line("state", f"the incident is {after.state}", "its source was asked"))
    incidents.commit(world, before, after, [*lines, why], _corrected(world, incident, opinions))
    return {"firing": len(still), "asked": len(opinions)}


def _asked(world: World, incident: Incident) -> tuple[Incident, dict[str, Opinion]]:
    """What is said of each of its series. A storm's summary has none of its own: what it stands for is looked at."""
    if incident.kind == storm.KIND:
        incident, lasts, why = storms.look(world, incident)
        return incident, {f: Opinion(lasts, why, by_source=True) for f in incident.firing}
    in_question = {**incident.cleared, **incident.firing}
    return incident, {f: _opinion(world, incident, f, s) for f, s in in_question.items()}


def _corrected(world: World, incident: Incident, opinions: Mapping[str, Opinion]) -> list[Write]:
    """What was found out is what the series say from now on: where a resolve was lost, firing again is news.

    Of a source that was not asked nothing is known: whatever it says next is news. Where mail waits, the series say
    what the incident has yet to hear.
    """
    box = mailbox.read(world, incident)
    if box.looks or any(mail.kind in OF_ALERTS for mail in box.mails):
        return []
    lost = {f: o for f, o in opinions.items() if f in incident.firing and not o.fires}
    over = {f: Status.RESOLVED if o.by_source else Status.UNKNOWN for f, o in lost.items()}
    known = series.read(world.store, incident.scope, over)
    wrong = (s for s in known.values() if s.status is Status.FIRING)
    return [
        series.write(incident.scope, s, replace(s, status=over[s.fingerprint], version=s.version + 1)) for s in wrong
    ]


def _opinion(world: World, incident: Incident, fingerprint: str, firing: Firing) -> Opinion:
    """Whether a series fires, and who says so; where its source cannot be asked, what was heard of it last counts."""
    source = plugins.sources(world.team.custom).get(firing.source)
    asked = _ask(world, source.ask, firing) if source and source.ask and firing.ask else None
    if asked is not None:
        return Opinion(asked, f"{firing.source} says it {'still fires' if asked else 'is resolved'}", by_source=True)
    if fingerprint in incident.cleared:
        return Opinion(False, f"{firing.source} said it is resolved, and cannot be asked again")
    if incident.resolve_asked_by:
        return Opinion(False, f"its source cannot be asked: {incident.resolve_asked_by}'s word counts")
    heard = series.read(world.store, incident.scope, [fingerprint]).get(fingerprint)
    silent = world.now() - (heard.seen_at if heard else firing.seen)
    patience = max(world.team.timing.stale_after, source.repeats_within_seconds if source else 0)
    if silent >= timedelta(seconds=patience):
        because = "its resolve was lost" if source is None or source.resolves else "it never says that it is over"
        return Opinion(False, f"not heard of for {silent.total_seconds():.0f} s: {because}")
    return Opinion(True, "its source cannot be asked, and it was heard of lately")


def _ask(world: World, ask: Callable[[str, Clients], bool | None], firing: Firing) -> bool | None:
    """What the source says; a source that fails to answer is one that cannot be asked."""
    try:
        return ask(firing.ask, world.clients)
    except Exception as error:  # noqa: BLE001 - whatever it is: the incident must not hang on a source
        logger.exception("a source could not be asked", source=firing.source, error=type(error).__name__)
        return None


def _still_fires(world: World, incident: Incident, still: Mapping[str, Firing]) -> tuple[Incident, Line]:
    """Not over: active again, and looked at again when it went stale."""
    state = State.ACTIVE if incident.state is State.MITIGATED else incident.state
    stale_after = timedelta(seconds=world.team.timing.stale_after)
    again = world.now() + (storm.LOOK_AGAIN if incident.kind == storm.KIND else stale_after)
    clocks = {**{k: v for k, v in incident.clocks.items() if k != "quiet"}, "stale": again}
    after = replace(incident, state=move(incident.state, state), clocks=clocks, resolve_asked_by="")
    refused = f"; {incident.resolve_asked_by}'s resolve is refused" if incident.resolve_asked_by else ""
    return after, Line("decision", f"not over: {len(still)} still fire{refused}", "the source was asked")


def _recovered(world: World, incident: Incident, opinions: Mapping[str, Opinion]) -> tuple[Incident, Line]:
    """Over, as far as anybody can tell: the quiet period begins, or it closes at once on a person's word."""
    state = incident.state if incident.state is State.MITIGATED else State.MITIGATED
    if incident.state is State.DETECTED:
        incident = replace(incident, state=State.TRIAGED)
    mitigated = replace(incident, state=move(incident.state, state), mitigated_at=incident.mitigated_at or world.now())
    if incident.resolve_asked_by:
        after = replace(mitigated, clocks={**incident.clocks, "quiet": world.now()})
        return after, Line(
            "decision", "it closes now", f"{incident.resolve_asked_by} says it is over{_second(opinions)}"
        )
    quiet = max(world.team.timing.quiet_period, incident.quiet_seconds)
    clocks = {**incident.clocks, "quiet": world.now() + timedelta(seconds=quiet)}
    after = replace(mitigated, clocks=clocks)
    asked = all(opinion.by_source for opinion in opinions.values())
    because = "recovery is verified" if asked else "not every source could be asked: what was heard last counts"
    return after, Line("decision", f"it closes after {quiet} s without news", because)


def _second(opinions: Mapping[str, Opinion]) -> str:
    """What the sources say to a person's word; the record claims nothing that none of them said."""
    if not opinions:
        return " and nothing of it fires"
    asked = all(opinion.by_source for opinion in opinions.values())
    return " and so does its source" if asked else "; not every source could be asked"


handler = stage(verify)
