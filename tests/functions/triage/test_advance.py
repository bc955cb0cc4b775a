"""Does the actor's mailbox lose no wake-up and no step, whatever dies in between?"""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.triage.advance import advance
from incident_bot.actor.turn import MAILS_PER_TURN, WAKES_PER_GENERATION
from incident_bot.domain.errors import Conflict, Unavailable
from incident_bot.domain.incident import ActionState, State, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.opening import first_page
from incident_bot.domain.shape import dump
from incident_bot.state import incidents, intents, mailbox
from incident_bot.state.keys import box
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put, Update
from tests.building import a_world, an_incident
from tests.signalling import the_incident, turn_of

INCIDENT = an_incident()
LATER = INCIDENT.opened_at + timedelta(days=1)
DRAFT = {"draft": INCIDENT.opened_at}
TOKEN = {"token": "token-1", "leaves": "by name"}


def ack(world: VirtualWorld) -> Mail:
    return Mail(MailKind.ACK, world.now(), actor="ada")


def parked(world: VirtualWorld) -> bool:
    return (world.store.get(box(INCIDENT.id)) or {}).get("token") == "token-1"


def park(world: VirtualWorld) -> None:
    advance(world, {**turn_of(INCIDENT), **TOKEN})


def test_with_nothing_to_do_the_token_is_parked_and_mail_wakes_it() -> None:
    world = a_world(None, INCIDENT)
    park(world)
    assert parked(world)
    assert world.machines.woken == []
    mailbox.post(world, INCIDENT.id, ack(world))
    assert world.machines.woken == ["token-1"]


@pytest.mark.parametrize(
    ("waiting", "state"),
    [
        ({"step": Step("Verify", "its alerts cleared")}, "Verify"),
        ({"clocks": {"stale": INCIDENT.opened_at}}, "Verify"),
        ({"state": State.RESOLVED, "clocks": {}}, "End"),
        ({"state": State.RESOLVED, "clocks": DRAFT}, "Close"),
        ({"state": State.RESOLVED, "clocks": {**DRAFT, "lift:inc1-a1": LATER}}, "CloseAndStay"),
    ],
    ids=["a step that was not cleared", "a deadline", "nothing more to do", "a draft", "a draft, and something stays"],
)
def test_the_token_is_left_at_once_for_the_state_that_has_something_to_do(waiting: dict[str, Any], state: str) -> None:
    world = a_world(None, replace(INCIDENT, **waiting))
    park(world)
    assert not parked(world)
    assert world.machines.woken == []
    assert [(token, name) for token, name, _ in world.machines.left] == [("token-1", state)]


def test_an_execution_that_began_before_states_were_left_by_name_is_woken_and_asks_which_it_is() -> None:
    world = a_world(None, replace(INCIDENT, step=Step("Verify", "its alerts cleared")))
    advance(world, {**turn_of(INCIDENT), "token": "token-1"})
    assert (world.machines.woken, world.machines.left) == (["token-1"], [])
    assert advance(world, turn_of(INCIDENT))["step"] == "Verify"


def test_mail_that_comes_before_the_token_is_taken_before_it_is_parked() -> None:
    world = a_world(None, INCIDENT)
    mailbox.post(world, INCIDENT.id, ack(world))
    park(world)
    assert the_incident(world).acknowledged_by == "ada"
    assert parked(world)
    assert world.machines.woken == []


def test_mail_that_comes_between_the_turn_and_the_parking_wakes_it() -> None:
    world = a_world(None, INCIDENT)
    update = world.store.update

    def overtaken(wanted: Any) -> Any:
        if "token" in wanted.set:
            world.store.update = update  # type: ignore[method-assign]
            mailbox.post(world, INCIDENT.id, ack(world))
        return update(wanted)

    world.store.update = overtaken  # type: ignore[method-assign,assignment]
    park(world)
    assert not parked(world)
    assert world.machines.woken == ["token-1"]


def test_a_message_that_is_due_is_sent_before_the_token_is_parked() -> None:
    world = a_world(None, replace(INCIDENT, step=Step("Page", "the first page was missing")))
    world.store.write([intents.opening(first_page(INCIDENT, "sev2 pages"), world.now())])
    park(world)
    assert [i.state for i in intents.of(world.store, INCIDENT.id)] == ["sent"]
    assert (the_incident(world).step, the_incident(world).pages) == (None, 1)
    assert parked(world)


def test_a_token_of_a_dead_generation_is_told_to_end() -> None:
    world = a_world(None, replace(INCIDENT, generation=2))
    park(world)
    assert [name for _, name, _ in world.machines.left] == ["End"]
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
    begun = {**turn_of(INCIDENT), "done": "Remediate", "execution": "inc1-a1-apply-1"}
    advance(world, {**begun, "token": "token-1"})
    assert parked(world)
    assert the_incident(world).actions["inc1-a1"].state == "running"
    assert the_incident(world).step is None


def test_what_was_begun_before_is_not_taken_for_the_remediation_that_is_to_begin() -> None:
    """Await's worker may be repeated after it committed the next step, with what it was told of the one before."""
    step = Step("Remediate", "it is approved", "inc1-a2", "apply")
    action = ActionState("restart_ecs_service", "arn", "running", attempts=1)
    world = a_world(None, replace(INCIDENT, step=step, actions={"inc1-a2": action}))
    begun = {**turn_of(INCIDENT), "done": "Remediate", "execution": "inc1-a1-apply-1"}
    advance(world, {**begun, **TOKEN})
    ((_, name, order),) = world.machines.left
    assert (name, json.loads(order)["execution"]) == ("Remediate", "inc1-a2-apply-1")
    assert the_incident(world).step == step


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
    assert "all-series: there was more mail than is listed singly" in texts


@pytest.mark.parametrize("changes", [{"kind": "teleported"}, {"at": "noon"}, {"kind": None}])
def test_mail_of_another_version_is_told_and_stops_nothing(changes: dict[str, Any]) -> None:
    world = a_world(None, INCIDENT)
    entry = {**dump(Mail(MailKind.NOTE, world.now(), "a", "ada", "to orbit")), **changes}
    world.store.update(Update(box(INCIDENT.id), set={"entries": [entry], "number": 1}))
    mailbox.post(world, INCIDENT.id, ack(world))

    advance(world, turn_of(INCIDENT))

    after = the_incident(world)
    assert (after.mail_taken, after.acknowledged_by, mailbox.read(world, after).waits) == (2, "ada", False)
    told = [(e["text"], e["reason"]) for e in incidents.timeline(world.store, INCIDENT.id) if e["kind"] == "note"]
    assert [("a ada to orbit" in text, "another version" in reason) for text, reason in told] == [(True, True)]
    assert after.state is State.ACTIVE


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
    assert advance(world, turn_of(INCIDENT))["step"] == "Await"
    assert [i.purpose for i in intents.of(world.store, INCIDENT.id)] == ["acknowledge"]
    assert advance(world, turn_of(INCIDENT))["step"] == "Await"
    assert len(intents.of(world.store, INCIDENT.id)) == 1


def test_a_message_that_cannot_be_tried_is_raised_and_the_step_stays_for_the_retry() -> None:
    class Throttled(MemoryStore):
        def update(self, update: Any) -> Any:
            if self.throttled and update.key[1].startswith("INTENT#"):
                raise Unavailable("throttled")
            return super().update(update)

        throttled = True

    store, world = Throttled(), a_world(None, INCIDENT)
    store.write([Put(item) for item in world.store])
    world = replace(world, store=store)
    store.write([intents.opening(first_page(INCIDENT, "sev2 pages"), world.now())])
    mailbox.post(world, INCIDENT.id, Mail(MailKind.NOTE, world.now(), text="looking", actor="ada"))
    with pytest.raises(Unavailable):
        advance(world, turn_of(INCIDENT))
    assert the_incident(world).step == Step("Page", "there are messages to send")
    store.throttled = False
    assert advance(world, turn_of(INCIDENT))["step"] == "Await"
    assert [i.state for i in intents.of(world.store, INCIDENT.id)] == ["sent"]


def _conflict_on_trim(world: VirtualWorld) -> Any:
    update = world.store.update

    def refusing(wanted: Any) -> Any:
        if wanted.set.get("entries") == []:
            raise Conflict("mail came in between")
        return update(wanted)

    return refusing
