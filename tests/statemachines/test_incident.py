"""Does the incident's machine go on, or tell people by itself, whichever of its stages breaks?"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from incident_bot.domain.errors import Unavailable
from incident_bot.state import incidents
from incident_bot.virtual import checkout
from incident_bot.virtual.deployment import Deployment
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import World
from tests.building import a_world, an_alert
from tests.signalling import a_batch, a_record, pages, the_incident

STATES: Mapping[str, Any] = checkout.definitions()["incident"]["States"]
AWAIT: Mapping[str, Any] = STATES["Await"]
LEFT_FOR = ("Propose", "Remediate", "Verify", "Close", "CloseAndStay", "End")
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def a_deployment(**broken: str) -> tuple[VirtualWorld, Deployment]:
    """A world with one alert taken in, whose named stages raise (placeholder without `FunctionArn` = why)."""
    world = a_world()

    def raising(why: str) -> Any:
        def stage(world: World, event: Mapping[str, Any]) -> Any:
            raise Unavailable(why)

        return stage

    stages = {f"{name}FunctionArn": raising(why) for name, why in broken.items()}
    deployment = Deployment(world, {**checkout.handlers(), **stages}, checkout.definitions())
    checkout.handlers()["ConsumeFunctionArn"](world, a_batch(a_record(world, an_alert())))
    return world, deployment


def states_of(deployment: Deployment, generation: int = 1) -> list[str]:
    name = f"{the_incident(deployment.world).id}-{generation}"
    return deployment.walker.runs[name].states


def test_nothing_broken_it_waits_for_mail() -> None:
    world, deployment = a_deployment()
    deployment.run_for(30)
    assert states_of(deployment) == ["Triage", "Enrich", "Propose", "Await"]
    assert world.notices.published == []


@pytest.mark.parametrize("stage", ["Triage", "Advance"])
def test_a_stage_that_breaks_for_good_has_step_functions_tell_people_and_the_page_was_out_before(stage: str) -> None:
    world, deployment = a_deployment(**{stage: "the table is gone"})
    deployment.run_for(200)
    assert states_of(deployment)[-2:] == ["TellSns", "Failed"]
    (subject, text) = world.notices.published[0]
    assert subject == "Incident Bot could not go on with an incident"
    assert the_incident(world).id in text
    assert len(pages(world)) == 1


@pytest.mark.parametrize(("stage", "then"), [("Enrich", "Propose"), ("Propose", "Await")])
def test_what_only_helps_stops_nothing_when_it_breaks(stage: str, then: str) -> None:
    broken = {"Enrich": "no answer", stage: "no answer"}  # what Enrich cannot say is proposed upon
    world, deployment = a_deployment(**broken)
    deployment.run_for(120)
    states = states_of(deployment)
    assert states[states.index(stage) + 1] == then
    assert states[-1] == "Await"
    assert world.notices.published == []


def test_the_next_generation_takes_over_from_one_that_failed() -> None:
    world, deployment = a_deployment(Triage="the table is gone")
    deployment.run_for(60)
    assert states_of(deployment)[-1] == "Failed"
    deployment = Deployment(world, checkout.handlers(), checkout.definitions())  # the fault is over
    deployment.run_for(600)
    assert the_incident(world).generation > 1
    assert states_of(deployment, the_incident(world).generation)[-1] == "Await"
    reasons = [entry["reason"] for entry in incidents.timeline(world.store, the_incident(world).id)]
    assert "its execution was not running" in reasons
    assert [page["payload"]["class"] for page in pages(world)].count("first") == 1


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_bound_retries_what_passes_and_catches_what_does_not(name: str) -> None:
    state = TASKS[name]
    assert 0 < state["TimeoutSeconds"] <= 21_600
    assert state["Retry"]
    if name != "TellSns":  # whose own failure ends the execution, which the alarm on failed executions tells
        assert any(catcher["ErrorEquals"] == ["States.ALL"] for catcher in state["Catch"])
    if state["Resource"].startswith("arn:aws:states:::lambda"):
        assert "Lambda.TooManyRequestsException" in state["Retry"][-1]["ErrorEquals"]


def test_a_token_that_is_sent_with_a_lie_decides_nothing() -> None:
    """Await drops whatever the token carried: only what is on the table is decided upon."""
    assert AWAIT["Next"] == "Await"
    assert "result" not in json.dumps(AWAIT["Output"])


@pytest.mark.parametrize("name", LEFT_FOR)
def test_the_state_that_await_is_left_for_is_the_one_that_is_named_and_naming_it_is_no_failure(name: str) -> None:
    (catcher,) = [catcher for catcher in AWAIT["Catch"] if name in catcher["ErrorEquals"]]
    assert (catcher["ErrorEquals"], catcher["Next"]) == ([name], name)
    assert name in STATES
    assert ("errorOutput" in json.dumps(catcher["Output"])) == (name == "Remediate"), "the others read the table"
    assert name in AWAIT["Retry"][0]["ErrorEquals"]


def test_what_await_is_left_for_is_every_state_but_those_that_begin_or_tell_of_failure() -> None:
    assert set(LEFT_FOR) == set(STATES) - {"Triage", "Enrich", "Await", "TellSns", "Failed"}
    assert AWAIT["Retry"][0]["MaxAttempts"] == 0
    assert [catcher["ErrorEquals"] for catcher in AWAIT["Catch"]][-2:] == [["States.Timeout"], ["States.ALL"]]


def test_when_nobody_sent_a_token_for_hours_it_looks_by_itself() -> None:
    (catcher,) = [catcher for catcher in AWAIT["Catch"] if "States.Timeout" in catcher["ErrorEquals"]]
    assert catcher["Next"] == "Await"
