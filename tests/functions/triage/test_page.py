"""Does the stage Page send what is due, once, and give the incident back?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.triage.page import page
from incident_bot.domain.alert import Severity
from incident_bot.domain.errors import Conflict, Unavailable
from incident_bot.domain.incident import Step
from incident_bot.domain.intent import Intent
from incident_bot.domain.message import Kind
from incident_bot.domain.team import EscalationStep
from incident_bot.state import incidents, intents, keys
from incident_bot.virtual.clock import T0
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put, Update
from tests.building import a_world, an_incident

EVENT = {"incident": "inc1", "generation": 1}
STEP = EscalationStep(("rota:payments",), ("pagerduty",))
PAGING = an_incident(step=Step("Page", "there are messages to send"))


def an_intent(name: str, **changes: Any) -> Intent:
    usual = Intent("inc1", name, "first", Kind.TRIGGER, Severity.SEV2, "payments", (STEP,), "sev2 pages")
    return replace(usual, **changes)


def a_scene(*messages: Intent, store: MemoryStore | None = None) -> VirtualWorld:
    world = a_world(None, PAGING)
    world.store.write([intents.opening(message, world.now()) for message in messages])
    if store is None:
        return world
    store.write([Put(item) for item in world.store])
    return replace(world, store=store)


def states(world: VirtualWorld) -> dict[str, str]:
    return {intent.name: intent.state for intent in intents.of(world.store, "inc1")}


def step(world: VirtualWorld) -> Step | None:
    return incidents.read(world.store, "inc1").step


def test_everything_due_is_sent_and_the_step_is_cleared() -> None:
    held = an_intent("held", not_before=T0 + timedelta(seconds=60))
    done = an_intent("done", state="cancelled")
    world = a_scene(an_intent("one"), an_intent("two", purpose="worsened"), held, done)
    assert page(world, EVENT) == {"sent": 2}
    assert states(world) == {"one": "sent", "two": "sent", "held": "pending", "done": "cancelled"}
    assert step(world) is None
    assert page(world, EVENT) == {"sent": 0}
    assert len(world.http.sent) == 2


def test_a_page_goes_before_what_only_tells() -> None:
    world = a_scene(an_intent("a-note", kind=Kind.UPDATE, purpose="update"), an_intent("z-page"))
    page(world, EVENT)
    assert world.http.sent[0].json["event_action"] == "trigger"
    assert len(world.notices.published) == 1, "the note, which PagerDuty does not take"


def test_another_generation_sends_nothing() -> None:
    world = a_scene(an_intent("one"))
    assert page(world, {**EVENT, "generation": 2}) == {"fenced": True}
    assert states(world) == {"one": "pending"}
    assert step(world) is not None


def test_another_step_is_left_alone() -> None:
    world = a_scene()
    before = incidents.read(world.store, "inc1")
    incidents.commit(world, before, replace(before, step=Step("Propose", "the situation changed")))
    assert page(world, EVENT) == {"sent": 0}
    assert step(world) == Step("Propose", "the situation changed")


def test_a_message_that_fails_everywhere_does_not_keep_the_step() -> None:
    world = a_scene(an_intent("one"))
    world.http.answer("http://pagerduty.test", 503)
    world.notices.down = True
    assert page(world, EVENT) == {"sent": 0}
    assert states(world) == {"one": "pending"}
    assert step(world) is None


def test_a_message_that_cannot_be_tried_keeps_nobody_else_back_and_is_raised() -> None:
    class Throttled(MemoryStore):
        def update(self, update: Update) -> Any:
            if update.key == keys.intent("inc1", "one"):
                raise Unavailable("throttled")
            return super().update(update)

    world = a_scene(an_intent("one"), an_intent("two"), store=Throttled())
    with pytest.raises(Unavailable):
        page(world, EVENT)
    assert states(world) == {"one": "pending", "two": "sent"}
    assert step(world) is not None, "the machine comes back for the rest"


@pytest.mark.parametrize(("losses", "cleared"), [(2, True), (3, False)])
def test_a_lost_race_for_the_incident_is_run_again_a_few_times(losses: int, cleared: bool) -> None:
    class Contended(MemoryStore):
        left = 0

        def write(self, writes: Any) -> None:
            if self.left and any(write.key == keys.meta("inc1") for write in writes):
                self.left -= 1
                raise Conflict("somebody was first")
            super().write(writes)

    store = Contended()
    world = a_scene(store=store)
    store.left = losses
    if cleared:
        assert page(world, EVENT) == {"sent": 0}
    else:
        with pytest.raises(Conflict):
            page(world, EVENT)
    assert (step(world) is None) is cleared
