"""Does the actor's mailbox lose no wake-up and no step, whatever dies in between?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.triage.advance import advance
from incident_bot.actor.turn import MAILS_PER_TURN, WAKES_PER_GENERATION
from incident_bot.domain.incident import ActionState, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.state import incidents, intents, mailbox
from incident_bot.state.keys import box
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_world, an_incident
from tests.signalling import the_incident, turn_of

INCIDENT = an_incident()


def ack(world: VirtualWorld) -> Mail:
    return Mail(MailKind.ACK, world.now(), actor="ada")


def parked(world: VirtualWorld) -> bool:
    return (world.store.get(box(INCIDENT.id)) or {}).get("token") == "token-1"


def park(world: VirtualWorld) -> None:
    advance(world, {**turn_of(INCIDENT), "token": "token-1"})


def test_with_nothing_to_do_the_token_is_parked_and_mail_wakes_it() -> None:
    world = a_world(None, INCIDENT)
    park(world)
    assert parked(world)
    assert world.machines.woken == []
    mailbox.post(world, INCIDENT.id, ack(world))
    assert world.machines.woken == ["token-1"]


@pytest.mark.parametrize(
    "waiting",
    [
        {"step": Step("Verify", "its alerts cleared")},
        {"clocks": {"quiet": INCIDENT.opened_at}},
    ],
    ids=["a step that was not cleared", "a deadline that has passed"],
)
def test_the_token_is_used_at_once_where_something_waits(waiting: dict[str, Any]) -> None:
    world = a_world(None, replace(INCIDENT, **waiting))
    park(world)
    assert not parked(world)
    assert world.machines.woken == ["token-1"]


def test_mail_that_comes_before_the_token_wakes_it_when_it_is_to_be_parked() -> None:
    world = a_world(None, INCIDENT)
    mailbox.post(world, INCIDENT.id, ack(world))
    park(world)
    assert world.machines.woken == ["token-1"]


def test_a_token_of_a_dead_generation_is_woken_and_told_to_end() -> None:
    world = a_world(None, replace(INCIDENT, generation=2))
    park(world)
    assert world.machines.woken == ["token-1"]
    assert advance(world, turn_of(INCIDENT))["step"] == "End"


def test_a_step_is_handed_out_again_until_its_state_clears_it_before_any_mail_is_read() -> None:
    world = a_world(None, replace(INCIDENT, step=Step("Verify", "its alerts cleared")))
    mailbox.post(world, INCIDENT.id, ack(world))
    assert [advance(world, turn_of(INCIDENT))["step"] for _ in range(2)] == ["Verify", "Verify"]
    assert the_incident(world).acknowledged_by == ""


def test_mail_is_decided_once_even_if_the_box_could_not_be_trimmed() -> None:
    world = a_world(None, INCIDENT)
    mailbox.post(world, INCIDENT.id, Mail(MailKind.NOTE, world.now(), text="looking", actor="ada"))
    world.store.update = _conflict_on_trim(world)  # type: ignore[method-assign]
    advance(world, turn_of(INCIDENT))
    advance(world, turn_of(INCIDENT))
    notes = [e for e in incidents.timeline(world.store, INCIDENT.id) if e["kind"] == "note"]
    assert len(notes) == 1


def test_a_remediation_is_ordered_with_an_execution_name_of_its_own_and_cleared_when_it_was_started() -> None:
    action = ActionState("restart_ecs_service", "arn", "approved")
    world = a_world(None, replace(INCIDENT, actions={"inc1-a1": action}))
    order = advance(world, turn_of(INCIDENT))
    assert (order["step"], order["execution"]) == ("Remediate", "inc1-a1-apply-1")
    assert advance(world, turn_of(INCIDENT))["execution"] == "inc1-a1-apply-1", "the same name until it is started"
    assert advance(world, {**turn_of(INCIDENT), "done": "Remediate"})["step"] == "Await"
    assert the_incident(world).actions["inc1-a1"].state == "running"


def test_more_mail_than_is_listed_is_looked_up_in_the_table() -> None:
    world = a_world(None, INCIDENT)
    detail = {"status": "unknown"}
    for number in range(mailbox.FULL + 5):
        mailbox.post(world, INCIDENT.id, Mail(MailKind.ALERT, world.now(), f"v1:{number}", "generic", "said", detail))
    assert mailbox.read(world, INCIDENT).looks == 5
    for _ in range(mailbox.FULL // MAILS_PER_TURN + 1):
        advance(world, turn_of(INCIDENT))
    assert mailbox.read(world, the_incident(world)).looks == 0
    texts = [e["reason"] for e in incidents.timeline(world.store, INCIDENT.id)]
    assert "there was more mail than is listed singly" in texts


def test_a_deadline_near_by_is_also_a_delayed_message() -> None:
    later = a_world().now() + timedelta(seconds=40)
    world = a_world(None, replace(INCIDENT, clocks={"escalate": later}))
    park(world)
    assert parked(world)
    assert len(world.queue.messages) == 1


def test_after_many_wakes_the_next_generation_takes_over() -> None:
    world = a_world(None, replace(INCIDENT, wakes=WAKES_PER_GENERATION))
    assert advance(world, turn_of(INCIDENT))["step"] == "End"
    assert the_incident(world).generation == 2
    assert world.machines.started == [("incident", f"{INCIDENT.id}-2")]


def test_an_acknowledgement_is_sent_to_the_provider_once() -> None:
    world = a_world(None, replace(INCIDENT, pages=1))
    mailbox.post(world, INCIDENT.id, ack(world))
    assert advance(world, turn_of(INCIDENT))["step"] == "Page"
    assert [i.purpose for i in intents.of(world.store, INCIDENT.id)] == ["acknowledge"]


def _conflict_on_trim(world: VirtualWorld) -> Any:
    from incident_bot.domain.errors import Conflict  # noqa: PLC0415

    update = world.store.update

    def refusing(wanted: Any) -> Any:
        if wanted.set.get("entries") == []:
            raise Conflict("mail came in between")
        return update(wanted)

    return refusing
