"""Storm mode: counts each page that is to go out, and makes it part of its team's summary beyond the rate.

It fails open: where the count cannot be read or written, the page goes out by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from incident_bot.domain import storm
from incident_bot.domain.errors import Conflict, IncidentBotError
from incident_bot.domain.incident import Incident
from incident_bot.domain.intent import Intent
from incident_bot.domain.opening import first_page
from incident_bot.domain.storm import Storm, Verdict
from incident_bot.domain.timeline import Line
from incident_bot.state import incidents, intents, keys, mailbox, storms
from incident_bot.world import Item, Key, Update, World, Write

TRIES = 8
ALONE = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Why a page does not go out by itself (empty where it does), and the summary whose first page is due with it."""

    reason: str = ALONE
    begins: str = ""


def taken(world: World, incident: Incident, intent: Intent, found: Mapping[Key, Item]) -> Part:
    """Count the page; `found` holds its team's item as it was read with the incident."""
    if not intent.pages or not storm.counts(incident, intent):
        return Part()
    try:
        return _counted(world, incident, intent, found)
    except IncidentBotError:
        world.metrics.count("StormNotCounted")
        return Part()


def _counted(world: World, incident: Incident, intent: Intent, found: Mapping[Key, Item]) -> Part:
    by, group = world.team.storm, intent.group
    for _ in range(TRIES):
        before, now = storms.of(found, group), world.now()
        severity = min(intent.severity, incident.severity)
        part = not storm.remembers(before) and _is_part(world, before.incident, incident)
        verdict = storm.decide(before, incident, severity, by, now, new_id=world.new_id(), part=part)
        try:
            world.store.write(
                [
                    storms.counting(group, before, verdict.storm, now),
                    *_marked(before, verdict, intent),
                    *_also(world, incident, group, verdict),
                ]
            )
        except Conflict:
            found = world.store.get_many([keys.storm(group)])
            continue
        return _told(world, verdict)
    return Part()


def _is_part(world: World, summary: str, incident: Incident) -> bool:
    """Whether an earlier page of the incident became part of that summary."""
    return any(summary in page.outcome for page in intents.of(world.store, incident.id) if page.pages)


def _marked(before: Storm, verdict: Verdict, intent: Intent) -> list[Write]:
    """Beyond what the storm itself remembers the page says, in the same moment, that it was counted: it may be asked
    again after a crash, before what became of it is written."""
    if verdict.alone or storm.remembers(before):
        return []
    return [Update(keys.intent(intent.incident, intent.name), set={"outcome": _said(verdict)})]


def _said(verdict: Verdict) -> str:
    return f"its team is in a storm: {verdict.storm.incident} is the page for this incident too"


def _also(world: World, incident: Incident, group: str, verdict: Verdict) -> list[Write]:
    """What is written with the count: the summary, its mail, or what a former one stood for."""
    writes: list[Write] = [storms.ending(verdict.ended)] if verdict.ended else []
    if verdict.begins:
        by = world.team.storm
        summary = storm.opened(verdict.storm, incident, group, world.team, world.now())
        why = f"more than {by.pages} pages for {group} within {by.window_seconds} s: one for all that follow, it counts"
        summary, opening = incidents.opening(world, summary, [Line("decision", summary.title, why, rule=verdict.rule)])
        page = intents.opening(first_page(summary, why), world.now())
        return [*writes, *opening, mailbox.opening(world, summary.id), page]
    if verdict.tells:
        mail = storm.grown(verdict, group, world.team.storm, world.now())
        writes.append(mailbox.posting(world, verdict.storm.incident, [mail]))
    return writes


def _told(world: World, verdict: Verdict) -> Part:
    if verdict.alone:
        return Part()
    summary = verdict.storm.incident
    world.metrics.count("PageInSummary")
    if verdict.tells:
        mailbox.wake(world, summary)
    return Part(_said(verdict), summary if verdict.begins else "")


def look(world: World, summary: Incident) -> tuple[Incident, bool, str]:
    """A summary with its count as it is now, whether its storm lasts or anything of it still fires, and why."""
    found = storms.of_summary(world.store, summary.id, summary.owner)
    known = incidents.read_many(world.store, found.members)
    by = world.team.storm
    return storm.recounted(summary, found, by), *storm.goes_on(found, known.values(), world.now(), by)
