"""Is an incident closed only when nobody has news of it, is nothing of it left open, and is its postmortem drafted?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.closure.close import close
from functions.ingest.consume import consume
from functions.triage.advance import advance
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.incident import ActionState, Incident, State, Step
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.state import heads, incidents, intents, keys, mailbox
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_world, an_alert
from tests.signalling import a_batch, a_record, all_incidents, the_incident, turn_of


def a_quiet_incident(**changes: object) -> tuple[VirtualWorld, Incident]:
    """An incident whose alert came and went, whose mail is decided and whose quiet period is over."""
    world = a_world()
    alert = an_alert(severity=changes.get("severity", Severity.SEV2))
    consume(world, a_batch(a_record(world, alert)))
    world.clock.advance(30)
    resolved = replace(alert, status=Status.RESOLVED, occurred_at=world.now())
    consume(world, a_batch(a_record(world, resolved, delivery="d2")))
    opened = the_incident(world)
    box = mailbox.read(world, opened)
    clocks = {"quiet": world.now()}
    quiet = replace(opened, state=State.MITIGATED, firing={}, pages=1, mail_taken=box.number, clocks=clocks)
    quiet = replace(quiet, **changes)  # type: ignore[arg-type]
    return world, incidents.commit(world, opened, quiet)


def resolve_notices(world: VirtualWorld) -> list[str]:
    return [i.state for i in intents.of(world.store, the_incident(world).id) if i.purpose == "resolve"]


def fires_again(world: VirtualWorld, delivery: str) -> None:
    consume(world, a_batch(a_record(world, replace(an_alert(), occurred_at=world.now()), delivery=delivery)))


def test_a_quiet_incident_resolves_leaves_the_head_and_closes_its_page_in_one_turn() -> None:
    world, incident = a_quiet_incident()
    order = advance(world, turn_of(incident))
    after = the_incident(world)
    assert (order["step"], order["stays"]) == ("Close", False)
    assert (after.state, after.resolved_at) == (State.RESOLVED, world.now())
    assert heads.read(world.store, incident.scope).incidents == {}
    assert resolve_notices(world) == ["sent"]


def test_then_its_postmortem_is_drafted_and_nothing_of_it_is_left_to_do() -> None:
    world, incident = a_quiet_incident()
    advance(world, turn_of(incident))
    assert not the_incident(world).finished
    assert close(world, turn_of(incident)) == {"drafted": True}
    assert world.store.get(keys.postmortem(incident.id)) is not None
    assert (the_incident(world).finished, the_incident(world).next_due) == (True, None)


def test_a_draft_that_could_not_be_written_is_ordered_again() -> None:
    world, incident = a_quiet_incident()
    advance(world, turn_of(incident))

    def down(*_: object) -> None:
        raise Unavailable("S3 is down")

    put, world.archive.put = world.archive.put, down  # type: ignore[method-assign,assignment]
    with pytest.raises(Unavailable):
        close(world, turn_of(incident))
    world.archive.put = put  # type: ignore[method-assign]
    assert the_incident(world).next_due == world.now(), "for sweep, where the execution died of it"
    assert advance(world, turn_of(incident))["step"] == "Close"
    assert close(world, turn_of(incident)) == {"drafted": True}


def test_what_is_open_is_not_drafted_and_its_end_is_decided_anew() -> None:
    """A version before this one resolved it here: its order may outlive a deployment."""
    world, incident = a_quiet_incident(step=Step("Close", "it stayed quiet"))
    assert close(world, turn_of(incident)) == {"drafted": False}
    assert (the_incident(world).step, the_incident(world).state) == (None, State.MITIGATED)
    assert advance(world, turn_of(incident))["step"] == "Close"


def test_nobody_is_told_of_the_end_of_what_nobody_was_told_of() -> None:
    world, incident = a_quiet_incident(severity=Severity.SEV4, pages=0)
    advance(world, turn_of(incident))
    assert the_incident(world).over
    assert resolve_notices(world) == []


def test_mail_that_came_in_is_read_before_it_closes() -> None:
    world, incident = a_quiet_incident()
    world.clock.advance(1)
    fires_again(world, "d3")
    assert advance(world, turn_of(incident))["step"] == "Await"
    assert the_incident(world).state is State.ACTIVE


@pytest.mark.parametrize("news", ["an alert joins", "mail comes in"])
def test_news_that_comes_while_it_closes_is_decided_upon_first(news: str) -> None:
    world, incident = a_quiet_incident()
    commit = world.store.write

    def overtaken(writes: Any) -> None:
        world.store.write = commit  # type: ignore[method-assign]
        world.clock.advance(1)
        if news == "an alert joins":
            fires_again(world, "d3")
        else:
            mailbox.post(world, incident.id, Mail(MailKind.NOTE, world.now(), text="wait", actor="ada"))
        commit(writes)

    world.store.write = overtaken  # type: ignore[method-assign]
    advance(world, turn_of(incident))
    after = the_incident(world)
    texts = [entry["text"] for entry in incidents.timeline(world.store, incident.id)]
    if news == "an alert joins":
        assert after.state is State.ACTIVE
        assert "the incident is resolved" not in texts
    else:
        assert after.state is State.RESOLVED
        assert texts.index("wait") < texts.index("the incident is resolved")


def test_with_a_mitigation_in_force_it_is_drafted_and_the_execution_stays() -> None:
    lift = a_world().now() + timedelta(seconds=600)
    actions = {"i-a1": ActionState("limit_lambda_concurrency", "arn", "applied")}
    world, incident = a_quiet_incident(actions=actions, clocks={"lift:i-a1": lift, "quiet": a_world().now()})
    order = advance(world, turn_of(incident))
    assert (order["step"], order["stays"]) == ("Close", True)
    close(world, turn_of(incident))
    assert the_incident(world).clocks == {"lift:i-a1": lift}
    assert advance(world, turn_of(incident))["step"] == "Await"


@pytest.mark.parametrize(("minutes", "linked"), [(10, True), (180, False)])
def test_a_firing_newer_than_the_close_opens_another_incident_linked_inside_the_window(
    minutes: int, linked: bool
) -> None:
    world, incident = a_quiet_incident()
    advance(world, turn_of(incident))
    world.clock.advance(minutes * 60)
    fires_again(world, "d9")
    again = all_incidents(world)[-1]
    assert again.id != incident.id
    assert again.reopens == (incident.id if linked else "")
