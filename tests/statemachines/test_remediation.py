"""Does the remediation machine walk as the answer of each state says, and tell somebody whatever fails?"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from incident_bot.virtual.checkout import definitions
from incident_bot.virtual.run import Failed, Run
from incident_bot.virtual.walker import Walker
from incident_bot.world import World
from tests.remediating import CELLS, Stage, the_team

MACHINE: Mapping[str, Any] = definitions()["remediation"]
TASKS = {name: state for name, state in MACHINE["States"].items() if state["Type"] == "Task"}
LAMBDA_ERRORS = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "States.TaskFailed",
}


def walked(stage: Stage, seconds: float = 300) -> Run:
    """The one remediation of the stage, walked to its end."""
    name = stage.start(stage.proposed())
    stage.run_for(seconds)
    return stage.walker.runs[name]


def test_the_canary_helps_and_the_rest_follows() -> None:
    assert walked(Stage()).states == [
        *("Act", "Acted?", "Settle", "Check", "Helped?"),
        *("ActOnRest", "Acted?", "Settle", "Check", "Helped?"),
        "Release",
    ]


def test_a_single_target_has_no_rest() -> None:
    stage = Stage(the_team(cells=CELLS[:1]), cells=CELLS[:1])

    assert walked(stage).states == [
        *("Act", "Acted?", "Settle", "Check", "Helped?"),
        "Release",
    ]


def test_what_does_not_help_is_put_back_and_looked_at_once_more() -> None:
    stage = Stage()
    stage.production.sick = lambda _: True

    assert walked(stage).states == [
        *("Act", "Acted?", "Settle", "Check", "Helped?"),
        *("ActBack", "Acted?", "Check", "Helped?"),
        "Release",
    ]


def test_a_rest_that_fails_puts_everything_back() -> None:
    stage = Stage()
    stage.production.denied.add("nothing")
    stage.production.sick = lambda target: target == CELLS[2]

    states = walked(stage).states

    assert states.index("ActOnRest") < states.index("ActBack") < states.index("Release")


def test_what_is_refused_goes_straight_to_release() -> None:
    stage = Stage()
    remediation = stage.proposed()
    stage.switch(on=True)
    name = stage.start(remediation)
    stage.run_for(10)

    assert stage.walker.runs[name].states == ["Act", "Acted?", "Release"]


def test_no_data_is_settled_for_again() -> None:
    stage = Stage()
    stage.production.silent = True

    states = walked(stage).states

    assert states.count("Settle") > 1
    assert states[-1] == "Release"
    assert stage.outcomes() == ["undone"]


def broken(*stages: str) -> tuple[Stage, Run]:
    """A remediation in which these functions always fail."""
    stage = Stage()

    def fails(_: World, __: Mapping[str, Any]) -> Any:
        raise Failed("Runtime.HandlerError", "the emulator tells no more")

    functions: dict[str, Callable[..., Any]] = dict(stage.walker._functions)
    functions |= {f"{name}FunctionArn": fails for name in stages}
    stage.walker = Walker(stage.world, {"remediation": MACHINE}, functions)
    return stage, walked(stage, 400)


@pytest.mark.parametrize("stage_name", ["Act", "Check"])
def test_a_stage_that_always_fails_tells_people_and_still_reaches_release(stage_name: str) -> None:
    stage, run = broken(stage_name)

    assert run.states[-3:] == ["TellSns", "ReleaseAnyway", "Failed"]
    assert stage.world.notices.published[0][0] == ("Incident Bot could not go on with a remediation")
    assert f"the stage {stage_name} failed" in stage.world.notices.published[0][1]


def test_not_even_release_works_and_people_are_told_all_the_same() -> None:
    stage, run = broken("Release")

    assert run.states[-2:] == ["TellSnsLast", "Failed"]
    assert run.execution.status == "FAILED"
    assert "could not finish" in stage.world.notices.published[0][0]


def test_when_sns_is_down_too_release_is_still_tried() -> None:
    stage = Stage()
    stage.world.notices.down = True

    def fails(_: World, __: Mapping[str, Any]) -> Any:
        raise Failed("Runtime.HandlerError")

    functions = dict(stage.walker._functions) | {"CheckFunctionArn": fails}
    stage.walker = Walker(stage.world, {"remediation": MACHINE}, functions)

    run = walked(stage, 400)

    assert "ReleaseAnyway" in run.states


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_time_limit_and_retries_what_lambda_throws(name: str) -> None:
    state = TASKS[name]

    assert state["TimeoutSeconds"] > 0
    retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
    assert retried >= LAMBDA_ERRORS or retried == {"States.ALL"}


@pytest.mark.parametrize("name", [name for name in TASKS if name != "TellSnsLast"])
def test_every_task_that_fails_goes_on_to_somewhere(name: str) -> None:
    (catch,) = TASKS[name]["Catch"]

    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["Next"] in ("TellSns", "TellSnsLast", "ReleaseAnyway")


def test_no_data_is_shaped_in_the_machine() -> None:
    """Ids and verdicts only: no state reaches into a plan, a journal or an alert."""
    names = set(re.findall(r"\$states\.input\.(\w+)", json.dumps(MACHINE)))

    assert names <= {"incident", "action", "purpose", "next", "wait_seconds", "failed", "cause"}
