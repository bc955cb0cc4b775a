"""Does a service go back to what it ran before, cell by cell, and say how it knows?"""

from datetime import timedelta
from typing import Any

import pytest

from incident_bot.actions.roll_back_ecs_service import ACTION
from incident_bot.domain.errors import Refused
from incident_bot.virtual.clock import T0
from tests.actions import shop
from tests.actions.shop import CELLS, want


def deployed(*revisions: int) -> dict[str, Any]:
    """The two operations that moto lacks, as ECS answers them: these revisions were deployed, the last one last."""
    listed = [
        {"targetServiceRevisionArn": f"revision-{i}", "createdAt": T0 + timedelta(hours=i)}
        for i in range(len(revisions))
    ]
    described = [
        {"serviceRevisionArn": f"revision-{i}", "taskDefinition": shop.task_definition(number)}
        for i, number in enumerate(revisions)
    ]
    return {
        "list_service_deployments": lambda **_: {"serviceDeployments": listed},
        "describe_service_revisions": lambda **asked: {
            "serviceRevisions": [d for d in described if d["serviceRevisionArn"] in asked["serviceRevisionArns"]]
        },
    }


def test_it_goes_back_cell_by_cell_and_forth_again() -> None:
    client = shop.services(revisions=2)
    clients = shop.world(ecs=client)
    plan = ACTION.plan(want(*CELLS), clients)

    for step in plan.steps:
        ACTION.make(step.forward, clients)
    back = [shop.running(client, arn) for arn in CELLS]
    ACTION.make(shop.inverse(plan.steps[0].inverse), clients)

    assert back == ["orders:1", "orders:1"]
    assert [shop.running(client, arn) for arn in CELLS] == ["orders:2", "orders:1"]
    assert [ACTION.look(step.forward, clients) for step in plan.steps] == ["not applied", "applied"]


def test_only_the_failing_cell_is_touched() -> None:
    client = shop.services(revisions=2)
    clients = shop.world(ecs=client)

    ACTION.make(ACTION.plan(want(CELLS[1]), clients).steps[0].forward, clients)

    assert [shop.running(client, arn) for arn in CELLS] == ["orders:2", "orders:1"]


def test_it_goes_back_to_what_ran_here_not_to_the_number_before() -> None:
    clients = shop.world(ecs=shop.services(revisions=4, **deployed(1, 4)))

    plan = ACTION.plan(want(CELLS[0]), clients)

    assert str(plan.steps[0].forward.after["task_definition"]).endswith("orders:1")
    assert "ran here before" in plan.text


def test_where_ecs_remembers_nothing_the_plan_says_so() -> None:
    plan = ACTION.plan(want(CELLS[0]), shop.world(ecs=shop.services(revisions=3)))

    assert str(plan.steps[0].forward.after["task_definition"]).endswith("orders:2")
    assert "ECS keeps none of its deployments" in plan.text


def test_what_ran_before_but_was_deregistered_is_refused() -> None:
    client = shop.services(revisions=3, **deployed(1, 3))
    client.deregister_task_definition(taskDefinition="orders:1")

    with pytest.raises(Refused, match="no earlier deployment"):
        ACTION.plan(want(CELLS[0]), shop.world(ecs=client))


def test_the_first_revision_has_nothing_before_it() -> None:
    with pytest.raises(Refused, match="no earlier deployment"):
        ACTION.plan(want(CELLS[0]), shop.world(ecs=shop.services(revisions=1)))


def test_a_service_that_is_not_there_is_refused() -> None:
    gone = CELLS[0].replace("cell-a", "cell-z")

    with pytest.raises(Refused, match="no active service"):
        ACTION.plan(want(gone), shop.world(ecs=shop.services()))


def test_a_deploy_that_came_meanwhile_is_drift() -> None:
    client = shop.services(revisions=3)
    clients = shop.world(ecs=client)
    client.update_service(cluster="shop", service="orders-cell-a", taskDefinition=shop.task_definition(2))
    step = ACTION.plan(want(CELLS[0]), clients).steps[0]
    client.update_service(cluster="shop", service="orders-cell-a", taskDefinition=shop.task_definition(3))

    assert ACTION.look(step.forward, clients) == "drifted"


def test_the_share_counts_tasks_not_cells() -> None:
    clients = shop.world(ecs=shop.services())

    assert ACTION.plan(want(*CELLS), clients).share == 0.75
    assert ACTION.plan(want(CELLS[0]), clients).share == 0.25
