"""Does `sweep` find whatever was left undone, and repair each without letting one failure stop the others?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.triage.sweep import sweep
from incident_bot.domain.alert import Severity
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.incident import State, Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.message import Kind
from incident_bot.state import heads, incidents, intents, mailbox
from incident_bot.virtual.clock import T0
from tests.building import a_group, a_world, an_incident
from tests.signalling import pages, the_incident

LATER = timedelta(minutes=2)
STARTING = an_incident(clocks={"start": T0 + timedelta(seconds=60)})


def a_page(**changes: object) -> Intent:
    page = Intent(
        "inc1", "page-first", "first", Kind.TRIGGER, Severity.SEV2, "payments", a_group().steps[:1], "it fires"
    )
    return replace(page, **changes)  # type: ignore[arg-type]


def test_an_incident_whose_execution_never_started_is_started() -> None:
    world = a_world(None, STARTING)
    world.clock.advance(120)
    sweep(world, {})
    assert world.machines.started == [("incident", "inc1-1")]


def test_an_execution_that_died_is_followed_by_the_next_generation_which_alone_may_write() -> None:
    world = a_world(None, an_incident(clocks={"escalate": T0}))
    world.machines.start("incident", "inc1-1", {})
    world.machines.executions["incident", "inc1-1"].status = "FAILED"
    world.clock.advance(60)
    sweep(world, {})
    assert the_incident(world).generation == 2
    assert world.machines.started[-1] == ("incident", "inc1-2")


def test_an_execution_that_dies_again_and_again_is_restarted_less_often_and_never_not() -> None:
    world = a_world(None, an_incident(clocks={"escalate": T0}))
    for _ in range(120):
        world.clock.advance(60)
        sweep(world, {})
        for execution in world.machines.executions.values():
            execution.status = "FAILED"
    assert 6 <= len(world.machines.started) <= 12, "two hours of dying at once"


def test_mail_that_woke_nobody_wakes() -> None:
    world = a_world(None, an_incident())
    world.machines.start("incident", "inc1-1", {})
    mailbox.park(world, the_incident(world), mailbox.read(world, the_incident(world)), "token-1")
    world.machines.down = True
    with pytest.raises(Unavailable):
        mailbox.post(world, "inc1", Mail(MailKind.ACK, world.now(), actor="ada"))
    world.machines.down = False
    world.clock.advance(60)
    sweep(world, {})
    assert world.machines.woken == ["token-1"]


def test_an_execution_that_runs_but_never_answers_is_replaced() -> None:
    """Its task was lost with the worker that ran it: Step Functions waits for a token that nobody parked."""
    world = a_world(None, an_incident())
    world.machines.start("incident", "inc1-1", {})
    mailbox.post(world, "inc1", Mail(MailKind.ACK, world.now(), actor="ada"))
    for _ in range(5):
        world.clock.advance(60)
        sweep(world, {})
    assert world.machines.started == [("incident", "inc1-1"), ("incident", "inc1-2")]


def test_a_page_that_was_written_and_never_sent_is_sent_once() -> None:
    world = a_world(None, an_incident())
    world.store.write([intents.opening(a_page(), world.now())])
    world.clock.advance(60)
    sweep(world, {})
    world.clock.advance(60)
    sweep(world, {})
    assert len(pages(world)) == 1


def test_a_held_page_is_respected() -> None:
    world = a_world(None, an_incident())
    world.store.write([intents.opening(a_page(not_before=T0 + timedelta(seconds=180)), world.now())])
    world.clock.advance(120)
    sweep(world, {})
    assert pages(world) == []
    world.clock.advance(120)
    sweep(world, {})
    assert len(pages(world)) == 1


def test_noise_whose_resolve_was_lost_ends_without_an_execution_and_leaves_the_head() -> None:
    world = a_world(
        None, an_incident(noise=True, generation=0, state=State.DETECTED, clocks={"stale": T0}, scope="production")
    )
    world.clock.advance(world.team.timing.stale_after + 60)
    sweep(world, {})
    incident = the_incident(world)
    assert (incident.state, incident.generation) == (State.RESOLVED, 0)
    assert world.machines.started == []
    assert heads.read(world.store, "production").incidents == {}


def test_one_repair_that_fails_does_not_stop_the_others() -> None:
    world = a_world(None, STARTING)
    orphan = a_page(incident="gone")
    world.store.write([intents.opening(orphan, world.now())])
    world.clock.advance(120)
    done = sweep(world, {})
    assert done["failed"] == 1
    assert world.machines.started == [("incident", "inc1-1")]


def test_a_finished_incident_is_not_looked_at_again() -> None:
    world = a_world(None, an_incident(state=State.RESOLVED, resolved_at=T0, clocks={"stale": T0}))
    world.clock.advance(60)
    assert sweep(world, {}) == {"META": 1}
    world.clock.advance(60)
    assert sweep(world, {}) == {}
    assert incidents.timeline(world.store, "inc1") == []


def test_what_people_order_after_the_end_is_taken_by_one_more_generation() -> None:
    ended = Step("End", "it is over and nothing of it is in force")
    world = a_world(None, an_incident(state=State.RESOLVED, resolved_at=T0, step=ended))
    mailbox.post(world, "inc1", Mail(MailKind.NOTE, world.now(), text="undo it", actor="ada"))
    world.clock.advance(60)
    sweep(world, {})
    incident = the_incident(world)
    assert world.machines.started == [("incident", "inc1-2")]
    assert (incident.state, incident.step) == (State.RESOLVED, None)
