"""Is every message that is due sent, once, whatever becomes of the others?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from incident_bot import paging
from incident_bot.domain.alert import Severity
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.intent import Intent
from incident_bot.domain.message import Kind
from incident_bot.domain.team import EscalationStep
from incident_bot.state import intents, keys
from incident_bot.virtual.clock import T0
from incident_bot.virtual.store import MemoryStore
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Put, Update
from tests.building import a_world, an_incident

STEP = EscalationStep(("rota:payments",), ("pagerduty",))
INCIDENT = an_incident()


def an_intent(name: str, **changes: Any) -> Intent:
    usual = Intent("inc1", name, "first", Kind.TRIGGER, Severity.SEV2, "payments", (STEP,), "sev2 pages")
    return replace(usual, **changes)


def a_scene(*messages: Intent, store: MemoryStore | None = None) -> VirtualWorld:
    world = a_world(None, INCIDENT)
    world.store.write([intents.opening(message, world.now()) for message in messages])
    if store is None:
        return world
    store.write([Put(item) for item in world.store])
    return replace(world, store=store)


def states(world: VirtualWorld) -> dict[str, str]:
    return {intent.name: intent.state for intent in intents.of(world.store, "inc1")}


def test_everything_due_is_sent_once_and_what_is_held_is_not() -> None:
    held = an_intent("held", not_before=T0 + timedelta(seconds=60))
    done = an_intent("done", state="cancelled")
    world = a_scene(an_intent("one"), an_intent("two", purpose="worsened"), held, done)
    assert paging.send_due(world, "inc1") == 2
    assert states(world) == {"one": "sent", "two": "sent", "held": "pending", "done": "cancelled"}
    assert paging.send_due(world, "inc1") == 0
    assert len(world.http.sent) == 2


def test_a_page_goes_before_what_only_tells() -> None:
    world = a_scene(an_intent("a-note", kind=Kind.UPDATE, purpose="update"), an_intent("z-page"))
    paging.send_due(world, "inc1")
    assert world.http.sent[0].json["event_action"] == "trigger"
    assert len(world.notices.published) == 1, "the note, which PagerDuty does not take"


def test_a_message_that_fails_everywhere_waits_for_its_next_try() -> None:
    world = a_scene(an_intent("one"))
    world.http.answer("http://pagerduty.test", 503)
    world.notices.down = True
    assert paging.send_due(world, "inc1") == 0
    assert states(world) == {"one": "pending"}


def test_a_message_that_cannot_be_tried_keeps_nobody_else_back_and_is_raised() -> None:
    class Throttled(MemoryStore):
        def update(self, update: Update) -> Any:
            if update.key == keys.intent("inc1", "one"):
                raise Unavailable("throttled")
            return super().update(update)

    world = a_scene(an_intent("one"), an_intent("two"), store=Throttled())
    with pytest.raises(Unavailable):
        paging.send_due(world, "inc1")
    assert states(world) == {"one": "pending", "two": "sent"}
