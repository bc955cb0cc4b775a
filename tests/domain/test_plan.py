"""Is a digest that of exactly one plan, and is the command line for a person the same call?"""

import json
from dataclasses import replace

import pytest

from incident_bot.domain.plan import Call, Plan, Step, by_hand
from incident_bot.domain.shape import dump, load

CALL = Call("arn:t", "lambda", "put_function_concurrency", {"FunctionName": "f"}, {"reserved": None}, {"reserved": 5})
PLAN = Plan("limit", (Step("arn:t", CALL, CALL), Step("arn:u", CALL, None, "b", canary=True)), parameters={"limit": 5})


def test_a_plan_survives_the_store_with_its_digest() -> None:
    kept = load(Plan, json.loads(json.dumps(dump(PLAN))))

    assert kept == PLAN
    assert kept.digest == PLAN.digest
    assert kept.parameters["limit"] == 5  # a number, not "5"


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, parameters={"limit": 6}),
        replace(PLAN, parameters={"limit": "5"}),
        replace(PLAN, steps=PLAN.steps[:1]),
        replace(PLAN, steps=PLAN.steps[::-1]),
        replace(PLAN, steps=(replace(PLAN.steps[0], inverse=None), PLAN.steps[1])),
        replace(PLAN, share=0.5),
        replace(PLAN, text="another sentence is another plan too: people read it"),
    ],
)
def test_any_other_plan_has_another_digest(other: Plan) -> None:
    assert other.digest != PLAN.digest


def test_the_canaries_are_those_marked_or_else_the_first() -> None:
    assert PLAN.canaries() == (1,)
    assert replace(PLAN, steps=PLAN.steps[:1]).canaries() == (0,)
    assert Plan("none", ()).canaries() == ()


@pytest.mark.parametrize(
    ("operation", "arguments", "typed"),
    [
        (
            ("lambda", "put_function_concurrency"),
            {"FunctionName": "f", "ReservedConcurrentExecutions": 5},
            "aws lambda put-function-concurrency --function-name f --reserved-concurrent-executions 5 --region r",
        ),
        (
            ("ecs", "update_service"),
            {"cluster": "shop", "service": "orders", "forceNewDeployment": True},
            "aws ecs update-service --cluster shop --service orders --force-new-deployment --region r",
        ),
        (
            ("ecs", "update_service"),
            {"service": "a; rm -rf /"},
            "aws ecs update-service --service 'a; rm -rf /' --region r",
        ),
    ],
)
def test_the_line_to_type_is_the_call(operation: tuple[str, str], arguments: dict[str, object], typed: str) -> None:
    assert by_hand(Call("arn:t", *operation, arguments, {}, {}), "r") == typed
