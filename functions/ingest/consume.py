"""Consume: turn queued signals into incidents - parse, dedupe, correlate, write, page first, start the execution."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_bot import paging
from incident_bot.actor import execution
from incident_bot.actor.taking import take_on
from incident_bot.domain.incident import Incident
from incident_bot.ingest import arrival, deploying, recording
from incident_bot.ingest.arrival import Arrival
from incident_bot.ingest.intake import take_in
from incident_bot.stage import logger, stage
from incident_bot.state import incidents, intents
from incident_bot.world import World

FIRST_PAGE_SECONDS = 1.5


def consume(world: World, event: Mapping[str, Any]) -> dict[str, Any]:
    """Take a batch of SQS records in; returns SQS's partial batch response: only what failed comes again."""
    failed: set[str] = set()
    arrivals = [found for record in event["Records"] for found in _arrived(world, record, failed)]
    for incident in dict.fromkeys(a.deadline for a in arrivals if a.deadline):
        _attempt(
            lambda which=incident: execution.ensure(world, which),
            [a for a in arrivals if a.deadline == incident],
            failed,
        )
    for told in (a for a in arrivals if a.change):
        _attempt(lambda what=told: _note(world, what), [told], failed)
    alerts = [a for a in arrivals if a.observation and not a.taken_on]
    for scope in dict.fromkeys(a.scope for a in alerts):
        here = [a for a in alerts if a.scope == scope]
        _attempt(lambda where=scope, what=here: _take(world, where, what), here, failed)
    for elsewhere in (a for a in arrivals if a.taken_on):
        _attempt(lambda what=elsewhere: _acknowledge(world, what), [elsewhere], failed)
    recording.keep_batch(world, [record for record in event["Records"] if record["messageId"] not in failed])
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in sorted(failed)]}


def _arrived(world: World, record: Mapping[str, Any], failed: set[str]) -> list[Arrival]:
    try:
        return arrival.read(world, record)
    except Exception as error:  # noqa: BLE001 - whatever one record runs into, its neighbours are as good as before
        logger.exception("a record could not be read", record=record.get("messageId"), error=type(error).__name__)
        failed.add(record["messageId"])
        return []


def _attempt(work: Any, arrivals: Sequence[Arrival], failed: set[str]) -> None:
    """Do the work of some records; what goes wrong makes those come again, and no others."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever it is, only these records come again
        logger.exception("a batch failed and comes again", error=type(error).__name__)
        failed.update(a.record for a in arrivals)


def _take(world: World, scope: str, arrivals: Sequence[Arrival]) -> None:
    taken = take_in(world, scope, [a.observation for a in arrivals if a.observation])
    to_start = list(dict.fromkeys((*taken.opened, *taken.resumed)))
    for identifier in tuple(to_start):
        to_start += _first_page(world, identifier)
    for incident in _startable(world, to_start):
        execution.start(world, incident)


def _acknowledge(world: World, taken_on: Arrival) -> None:
    """What somebody took on elsewhere; after the alerts, whose page goes first."""
    if taken_on.observation:
        alert = taken_on.observation.alert
        logger.info("taken on", source=alert.source, outcome=take_on(world, taken_on.scope, alert))


def _note(world: World, told: Arrival) -> None:
    """A deployment began or ended: before the alerts, which its window may suppress."""
    if told.change:
        logger.info("a deployment", source=told.change.source, service=deploying.note(world, told.change))


def _first_page(world: World, identifier: str) -> list[str]:
    """Send what is due at once, within a second and a half; `sweep` and `page` repair what does not get through.

    Returns the summary that began with it, if one did: it is an incident too.
    """
    began: list[str] = []
    for intent in intents.of(world.store, identifier):
        if intent.pages and intent.ready(world.now()):
            outcome = paging.send(world, identifier, intent.name, budget_seconds=FIRST_PAGE_SECONDS)
            logger.info("first page", incident=identifier, outcome=outcome.kind, reason=outcome.reason)
            began += [outcome.began] if outcome.began else []
    return began


def _startable(world: World, identifiers: Sequence[str]) -> list[Incident]:
    """Those whose execution is still to be started, as they are after their page went out."""
    found = (incidents.read(world.store, identifier) for identifier in identifiers)
    return [incident for incident in found if incident.generation and "start" in incident.clocks and not incident.over]


handler = stage(consume)
