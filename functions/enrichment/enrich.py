"""Enrich: ask every fact provider at once and write down what each found, or why not; none can stop an incident."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from incident_bot import plugins
from incident_bot.actor.turn import FENCED
from incident_bot.domain.errors import Conflict
from incident_bot.domain.incident import Incident
from incident_bot.domain.plaintext import line
from incident_bot.domain.timeline import Line
from incident_bot.facts import Fact, Finding
from incident_bot.stage import stage
from incident_bot.state import facts, incidents
from incident_bot.state.facts import Record
from incident_bot.world import World

ATTEMPTS = 3
Gathering = Future[Finding | None]


def enrich(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what is missing or stale, within each provider's deadline, and put it on the incident.

    Returns {"facts", "written", "step"}; for `step`, always Propose, only executions ask that began before it was so.
    """
    return enriched(world, event, tuple(plugins.facts().values()))


def enriched(world: World, event: Mapping[str, Any], providers: Sequence[Fact]) -> dict[str, Any]:
    """The same with those providers."""
    incident = incidents.read(world.store, event["incident"])
    if incident.generation != event["generation"]:
        return FENCED
    known = facts.of(world.store, incident.id)
    fresh = {name for name, record in known.items() if record.fresh(world.now())}
    found = _gather([fact for fact in providers if fact.name not in fresh], incident, world)
    written = _write(world, incident, {**known, **found}, found)
    return {"step": "Propose", "facts": sorted(found), "written": written}


def _gather(providers: Sequence[Fact], incident: Incident, world: World) -> dict[str, Record]:
    """Ask all at once. A provider that is late is left behind; its thread ends when its own calls time out."""
    if not providers:
        return {}
    pool = ThreadPoolExecutor(max_workers=len(providers))
    running = {fact.name: pool.submit(fact.gather, incident, world) for fact in providers}
    waited = 0.0
    for deadline in sorted({fact.deadline_seconds for fact in providers}):
        late = [running[fact.name] for fact in providers if fact.deadline_seconds >= deadline]
        wait(late, timeout=deadline - waited)
        waited = deadline
    pool.shutdown(wait=False)
    records = (_record(fact, running[fact.name], world) for fact in providers)
    return {record.name: record for record in records if record is not None}


def _record(fact: Fact, gathering: Gathering, world: World) -> Record | None:
    record = Record(fact.name, fact.reads, world.now(), fact.ttl_seconds)
    if not gathering.done():
        return replace(record, failure=f"no answer within {fact.deadline_seconds:g} s")
    if (failed := gathering.exception()) is not None:
        return replace(record, failure=line(f"{type(failed).__name__}: {failed}"))
    finding = gathering.result()
    if finding is None:
        return None
    return replace(record, text=finding.text, value=finding.value, as_of=finding.as_of)


def _write(world: World, incident: Incident, known: Mapping[str, Record], found: Mapping[str, Record]) -> bool:
    """Write what was found with its timeline lines; a lost race is tried again on the incident as it is then."""
    lines = [_line(record) for record in found.values()]
    generation = incident.generation
    for _ in range(ATTEMPTS if lines else 0):
        try:
            incidents.commit(world, incident, incident, lines, [facts.writing(incident.id, known)])
        except Conflict:
            incident = incidents.read(world.store, incident.id)
            if incident.generation != generation:
                return False
        else:
            return True
    return False


def _line(record: Record) -> Line:
    if record.failure:
        return Line("fact", f"{record.name}: not found out", record.failure)
    return Line("fact", f"{record.name}: {line(record.text)}", f"from {record.source}, as of {record.as_of}")


handler = stage(enrich)
