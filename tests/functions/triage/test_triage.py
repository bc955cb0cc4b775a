"""Does `triage` put the classification on the record, and repair a first page that was never written?"""

from dataclasses import replace
from datetime import timedelta

from functions.triage.triage import triage
from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import State
from incident_bot.state import incidents, intents
from tests.building import a_world, an_incident
from tests.signalling import the_incident, turn_of

DETECTED = an_incident(state=State.DETECTED)


def test_a_detected_incident_is_triaged_and_the_record_says_why() -> None:
    world = a_world(None, DETECTED)
    assert triage(world, turn_of(DETECTED)) == {"triaged": True}
    assert the_incident(world).state is State.TRIAGED
    line = incidents.timeline(world.store, DETECTED.id)[0]
    assert (line["kind"], line["reason"]) == ("decision", "sev2-pages: Sev2 that touches customers pages")


def test_a_first_page_that_is_missing_is_written_and_sent_next() -> None:
    world = a_world(None, DETECTED)
    triage(world, turn_of(DETECTED))
    (intent,) = intents.of(world.store, DETECTED.id)
    assert (intent.name, intent.state) == ("page-first", "pending")
    step = the_incident(world).step
    assert step
    assert step.name == "Page"


def test_a_ticket_gets_no_page() -> None:
    ticket = replace(DETECTED, severity=Severity.SEV3)
    world = a_world(None, ticket)
    triage(world, turn_of(ticket))
    assert intents.of(world.store, ticket.id) == []


def test_a_later_generation_finds_it_triaged_and_only_stops_the_start_clock() -> None:
    started = an_incident(clocks={"start": a_world().now() + timedelta(seconds=60)})
    world = a_world(None, replace(started, severity=Severity.SEV4))
    triage(world, turn_of(started))
    assert the_incident(world).clocks == {}
    assert incidents.timeline(world.store, started.id) == []


def test_a_dead_generation_changes_nothing() -> None:
    world = a_world(None, DETECTED)
    assert triage(world, {"incident": DETECTED.id, "generation": 7}) == {"triaged": False}
    assert the_incident(world).state is State.DETECTED
