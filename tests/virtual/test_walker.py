"""Does the walker treat a definition as Step Functions would?"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from incident_bot.domain.errors import Unavailable
from incident_bot.virtual.clock import T0
from incident_bot.virtual.expression import QueryFailed, evaluated
from incident_bot.virtual.run import Crash
from incident_bot.virtual.walker import Walker
from incident_bot.virtual.world import VirtualWorld
from incident_bot.world import Handler, World
from tests.building import a_world

INVOKE = "arn:aws:states:::lambda:invoke"


def a_task(**changes: Any) -> dict[str, Any]:
    arguments = {"FunctionName": "${WorkFunctionArn}", "Payload": "{% $states.input %}"}
    return {"Type": "Task", "Resource": INVOKE, "Arguments": arguments, "Next": "Done", **changes}


def a_walk(
    handler: Handler, payload: Mapping[str, Any] | None = None, *, world: VirtualWorld | None = None, **states: Any
) -> Walker:
    world = world or a_world()
    definition = {"StartAt": next(iter(states)), "States": {**states, "Done": {"Type": "Succeed"}}}
    world.machines.start("incident", "one", payload or {})
    walker = Walker(world, {"incident": definition}, {"WorkFunctionArn": handler})
    walker.settle()
    return walker


def nothing(world: World, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


def failing(error: BaseException) -> Handler:
    def handler(world: World, event: Mapping[str, Any]) -> Any:
        raise error

    return handler


def test_a_task_passes_its_arguments_and_its_output_on() -> None:
    task = a_task(
        Output="{% $merge([$states.input, $states.result.Payload, {'name': $states.context.Execution.Name}]) %}"
    )
    run = a_walk(lambda world, event: {"doubled": event["n"] * 2}, {"n": 4}, Work=task).runs["one"]
    assert (run.execution.status, run.states, run.output) == (
        "SUCCEEDED",
        ["Work", "Done"],
        {"n": 4, "doubled": 8, "name": "one"},
    )


def test_a_task_without_output_yields_the_service_s_answer() -> None:
    assert a_walk(nothing, Work=a_task()).runs["one"].output == {"StatusCode": 200, "Payload": {}}


def test_what_is_no_json_does_not_cross_the_border() -> None:
    with pytest.raises(TypeError):
        a_walk(lambda world, event: {"at": T0}, Work=a_task())


def test_an_expression_that_yields_nothing_fails_the_execution() -> None:
    run = a_walk(nothing, Work=a_task(Output={"x": "{% $states.input.missing %}"})).runs["one"]
    assert (run.execution.status, run.output["Error"]) == ("FAILED", "States.QueryEvaluationError")


@pytest.mark.parametrize(("step", "state"), [("Page", "Paged"), ("Other", "Done")])
def test_a_choice_takes_the_first_condition_that_holds(step: str, state: str) -> None:
    choices = [{"Condition": "{% $states.input.step = 'Page' %}", "Next": "Paged"}]
    question = {"Type": "Choice", "Choices": choices, "Default": "Done"}
    run = a_walk(nothing, {"step": step}, Question=question, Paged={"Type": "Pass", "End": True}).runs["one"]
    assert run.states == ["Question", state]


def test_a_wait_waits() -> None:
    walker = a_walk(
        nothing, {"seconds": 30}, Wait={"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Next": "Done"}
    )
    run = walker.runs["one"]
    assert run.running
    assert walker.next_at() == walker.world.clock.advance(30)
    walker.settle()
    assert run.execution.status == "SUCCEEDED"


def test_a_failed_task_is_retried_later_and_later_and_then_caught() -> None:
    retrier = {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 3}
    retry = [{**retrier, "MaxDelaySeconds": 10}]
    catch = [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Caught"}]
    world = a_world()
    walker = a_walk(
        failing(Unavailable("later")),
        world=world,
        Work=a_task(Retry=retry, Catch=catch),
        Caught={"Type": "Pass", "End": True},
    )
    pauses = []
    while (at := walker.next_at()) is not None:
        pauses.append((at - world.now()).total_seconds())
        world.clock.advance_to(at)
        walker.settle()
    run = walker.runs["one"]
    assert pauses == [2, 6, 10]
    assert run.states == ["Work", "Caught"]
    assert run.output == {"Error": "Unavailable", "Cause": "later"}


def test_a_lambda_that_dies_is_noticed_when_its_time_is_over() -> None:
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    world = a_world()
    walker = a_walk(failing(Crash("between two writes", after_seconds=60)), world=world, Work=a_task(Retry=retry))
    assert walker.next_at() == world.clock.advance(61)
    walker.settle()
    assert walker.runs["one"].output == {"Error": "Sandbox.Timedout", "Cause": "between two writes"}


def test_a_failure_that_nobody_catches_fails_the_execution() -> None:
    walker = a_walk(failing(ValueError("no")), Work=a_task())
    assert walker.runs["one"].execution.status == "FAILED"
    assert not walker.world.machines.running("incident", "one")


def test_an_execution_that_fails_says_why() -> None:
    refused = {"Type": "Fail", "Error": "Refused", "Cause": "{% $states.input.reason %}"}
    run = a_walk(nothing, {"reason": "it expired"}, Refused=refused).runs["one"]
    assert (run.execution.status, run.output) == ("FAILED", {"Error": "Refused", "Cause": "it expired"})


WAITING = a_task(
    Resource=f"{INVOKE}.waitForTaskToken",
    Arguments={"FunctionName": "${WorkFunctionArn}", "Payload": {"token": "{% $states.context.Task.Token %}"}},
    TimeoutSeconds=100,
)


class Parking:
    """A handler that keeps the tokens it gets."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def __call__(self, world: World, event: Mapping[str, Any]) -> None:
        self.tokens.append(event["token"])


def test_a_task_with_a_token_waits_for_it() -> None:
    parking = Parking()
    walker = a_walk(parking, Work=WAITING)
    assert walker.runs["one"].state == "Work"
    walker.world.machines.wake("another token")
    walker.settle()
    assert walker.runs["one"].state == "Work"
    walker.world.machines.wake(parking.tokens[0])
    walker.settle()
    assert walker.runs["one"].execution.status == "SUCCEEDED"


def test_a_token_may_be_sent_while_its_task_still_works() -> None:
    def handler(world: World, event: Mapping[str, Any]) -> None:
        world.machines.wake(event["token"])

    assert a_walk(handler, Work=WAITING).runs["one"].execution.status == "SUCCEEDED"


def test_a_token_may_fail_its_task_and_its_error_says_where_it_goes_on() -> None:
    parking = Parking()
    never = {"ErrorEquals": ["Onward"], "MaxAttempts": 0}
    told = {"ErrorEquals": ["Onward"], "Output": "{% $parse($states.errorOutput.Cause) %}", "Next": "Done"}
    retried = {**WAITING, "Retry": [never, {"ErrorEquals": ["States.TaskFailed"]}], "Catch": [told]}
    walker = a_walk(parking, Work=retried, Done={"Type": "Succeed"})
    walker.world.machines.leave(parking.tokens[0], "Onward", {"action": "a1"})
    walker.world.machines.wake(parking.tokens[0])
    walker.settle()
    assert (walker.runs["one"].states, walker.runs["one"].output) == (["Work", "Done"], {"action": "a1"})


def test_a_token_that_fails_its_task_with_any_other_error_has_it_retried() -> None:
    parking = Parking()
    walker = a_walk(parking, Work={**WAITING, "Retry": [{"ErrorEquals": ["States.TaskFailed"]}]})
    walker.world.machines.leave(parking.tokens[0], "Onward", {})
    walker.settle()
    walker.world.clock.advance(10)
    walker.settle()
    assert len(parking.tokens) == 2


def test_a_token_runs_out_and_then_wakes_nobody() -> None:
    parking = Parking()
    walker = a_walk(parking, Work={**WAITING, "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Work"}]})
    walker.world.clock.advance(100)
    walker.settle()
    first, second = parking.tokens
    walker.world.machines.wake(first)
    walker.settle()
    assert walker.runs["one"].running
    walker.world.machines.wake(second)
    walker.settle()
    assert walker.runs["one"].execution.status == "SUCCEEDED"


def test_a_killed_execution_goes_nowhere() -> None:
    parking = Parking()
    walker = a_walk(parking, Work=WAITING)
    walker.kill("one")
    walker.world.machines.wake(parking.tokens[0])
    walker.settle()
    assert walker.runs["one"].execution.status == "ABORTED"
    assert walker.next_at() is None


START = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution",
    "Arguments": {"StateMachineArn": "${IncidentMachineArn}", "Name": "two", "Input": {"again": True}},
    "End": True,
}


def test_a_machine_starts_another_once() -> None:
    choices = [{"Condition": "{% $exists($states.input.again) %}", "Next": "Done"}]
    walker = a_walk(nothing, Again={"Type": "Choice", "Choices": choices, "Default": "Start"}, Start=START)
    assert [run.execution.status for run in walker.runs.values()] == ["SUCCEEDED", "SUCCEEDED"]


def test_a_name_that_is_taken_is_an_error_of_its_own() -> None:
    taken = {"ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "Next": "Done"}
    world = a_world()
    world.machines.start("incident", "two", {})
    walker = a_walk(nothing, world=world, Start={**START, "Catch": [taken]})
    assert walker.runs["one"].states == ["Start", "Done"]


def test_a_machine_tells_people_by_itself() -> None:
    tell = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {"TopicArn": "${NoticesTopicArn}", "Subject": "s", "Message": "{% 'm' & $states.input.n %}"},
        "End": True,
    }
    assert a_walk(nothing, {"n": 1}, Tell=tell).world.notices.published == [("s", "m1")]


def test_the_order_of_ready_executions_can_be_chosen() -> None:
    world = a_world()
    definition = {"StartAt": "Work", "States": {"Work": a_task(End=True)}}
    for name in ("one", "two"):
        world.machines.start("incident", name, {"name": name})
    order: list[str] = []
    walker = Walker(world, {"incident": definition}, {"WorkFunctionArn": lambda w, e: order.append(e["name"])})
    walker.step(lambda ready: ready[-1])
    walker.settle()
    assert order == ["two", "one"]


@pytest.mark.parametrize("expression", ["{% $states.input. %}", "{% $states.input.nothing %}"])
def test_a_bad_expression_says_which(expression: str) -> None:
    with pytest.raises(QueryFailed, match="states"):
        evaluated(expression, {"input": {}})


def test_only_whole_strings_are_expressions() -> None:
    template = {"a": "50 {% of all %} of it", "b": ["{% $states.input.n + 1 %}"], "c": 3}
    assert json.loads(json.dumps(evaluated(template, {"input": {"n": 1}}))) == {**template, "b": [2]}
