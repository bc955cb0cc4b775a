"""Does `close` resolve only what nobody has news of, and leave nothing of it open?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.closure.close import close
from functions.ingest.consume import consume
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.incident import ActionState, Incident, State, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.state import heads, incidents, intents, keys, mailbox
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_world, an_alert
from tests.signalling import a_batch, a_record, all_incidents, the_incident, turn_of


def a_quiet_incident(**changes: object) -> tuple[VirtualWorld, Incident]:
    """An incident whose alert came and went, whose mail is decided and whose step is Close."""
    world = a_world()
    alert = an_alert(severity=changes.get("severity", Severity.SEV2))
    consume(world, a_batch(a_record(world, alert)))
    world.clock.advance(30)
    resolved = replace(alert, status=Status.RESOLVED, occurred_at=world.now())
    consume(world, a_batch(a_record(world, resolved, delivery="d2")))
    opened = the_incident(world)
    box = mailbox.read(world, opened)
    quiet = replace(
        opened,
        state=State.MITIGATED,
        firing={},
        pages=1,
        mail_taken=box.number,
        step=Step("Close", "it stayed quiet"),
        clocks={},
    )
    quiet = replace(quiet, **changes)  # type: ignore[arg-type]
    return world, incidents.commit(world, opened, quiet)


def test_a_quiet_incident_resolves_leaves_the_head_and_closes_its_page() -> None:
    world, incident = a_quiet_incident()
    assert close(world, turn_of(incident)) == {"closed": True}
    after = the_incident(world)
    assert (after.state, after.resolved_at) == (State.RESOLVED, world.now())
    assert after.step
    assert after.step.name == "Page"
    assert heads.read(world.store, incident.scope).incidents == {}
    assert {i.purpose for i in intents.of(world.store, incident.id) if i.state == "pending"} == {"resolve"}
    assert world.store.get(keys.postmortem(incident.id)) is not None


def test_nobody_is_told_of_the_end_of_what_nobody_was_told_of() -> None:
    world, incident = a_quiet_incident(severity=Severity.SEV4)
    close(world, turn_of(incident))
    assert not [i for i in intents.of(world.store, incident.id) if i.purpose == "resolve"]


def test_mail_that_came_in_keeps_it_open() -> None:
    world, incident = a_quiet_incident()
    mailbox.post(world, incident.id, Mail(MailKind.NOTE, world.now(), text="wait", actor="ada"))
    assert close(world, turn_of(incident))["closed"] is False
    assert the_incident(world).state is State.MITIGATED


def test_an_alert_that_joins_while_it_closes_keeps_it_open() -> None:
    world, incident = a_quiet_incident()
    commit = world.store.write

    def overtaken(writes: list[object]) -> None:
        world.store.write = commit  # type: ignore[method-assign]
        world.clock.advance(1)
        consume(world, a_batch(a_record(world, replace(an_alert(), occurred_at=world.now()), delivery="d3")))
        commit(writes)  # type: ignore[arg-type]

    world.store.write = overtaken  # type: ignore[method-assign,assignment]
    assert close(world, turn_of(incident))["closed"] is False
    assert the_incident(world).state is State.MITIGATED


def test_what_is_temporary_is_still_lifted_and_open_requests_are_void() -> None:
    lift = a_world().now() + timedelta(seconds=600)
    actions = {
        "i-a1": ActionState("limit_lambda_concurrency", "arn", "applied"),
        "i-a2": ActionState("restart_ecs_service", "arn", "proposed"),
    }
    world, incident = a_quiet_incident(actions=actions, clocks={"lift:i-a1": lift, "ack": lift})
    close(world, turn_of(incident))
    after = the_incident(world)
    assert after.clocks == {"lift:i-a1": lift}
    assert after.actions["i-a2"].state == "expired"


@pytest.mark.parametrize(("minutes", "linked"), [(10, True), (180, False)])
def test_a_firing_newer_than_the_close_opens_another_incident_linked_inside_the_window(
    minutes: int, linked: bool
) -> None:
    world, incident = a_quiet_incident()
    close(world, turn_of(incident))
    world.clock.advance(minutes * 60)
    consume(world, a_batch(a_record(world, replace(an_alert(), occurred_at=world.now()), delivery="d9")))
    again = all_incidents(world)[-1]
    assert again.id != incident.id
    assert again.reopens == (incident.id if linked else "")
