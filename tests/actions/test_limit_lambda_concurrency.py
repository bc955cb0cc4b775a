"""Does the clamp set exactly the limit, and put back exactly what was reserved before, or nothing?"""

import pytest

from incident_bot.actions.limit_lambda_concurrency import ACTION
from incident_bot.domain.errors import Refused
from tests.actions import shop
from tests.actions.shop import FUNCTION, want


@pytest.mark.parametrize("before", [None, 40])
def test_it_applies_and_restores(before: int | None) -> None:
    client = shop.lambdas()
    clients = shop.world(lambda_=client)
    if before:
        client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=before)
    step = ACTION.plan(want(FUNCTION, limit=5), clients).steps[0]
    looks = [ACTION.look(step.forward, clients)]

    ACTION.make(step.forward, clients)
    looks.append(ACTION.look(step.forward, clients))
    limited = shop.reserved(client)
    ACTION.make(shop.inverse(step.inverse), clients)
    looks.append(ACTION.look(step.forward, clients))

    assert limited == 5
    assert shop.reserved(client) == before
    assert looks == ["not applied", "applied", "not applied"]


def test_it_is_convergent() -> None:
    clients = shop.world(lambda_=shop.lambdas())
    step = ACTION.plan(want(FUNCTION, limit=5), clients).steps[0]

    for _ in range(2):
        ACTION.make(step.forward, clients)

    assert shop.reserved(clients.client("lambda")) == 5


def test_a_limit_that_somebody_else_set_meanwhile_is_drift() -> None:
    client = shop.lambdas()
    clients = shop.world(lambda_=client)
    step = ACTION.plan(want(FUNCTION, limit=5), clients).steps[0]
    client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=7)

    assert ACTION.look(step.forward, clients) == "drifted"


@pytest.mark.parametrize("parameters", [{}, {"limit": "5"}, {"limit": -1}, {"limit": True}])
def test_without_a_proper_limit_it_refuses(parameters: dict[str, int | str]) -> None:
    with pytest.raises(Refused, match="limit"):
        ACTION.plan(want(FUNCTION, **parameters), shop.world(lambda_=shop.lambdas()))


def test_a_function_that_is_limited_further_already_is_not_given_more() -> None:
    client = shop.lambdas()
    client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=3)

    with pytest.raises(Refused, match="limited to 3 already"):
        ACTION.plan(want(FUNCTION, limit=5), shop.world(lambda_=client))


def test_planning_and_looking_change_nothing() -> None:
    client = shop.lambdas()
    clients = shop.world(lambda_=client)

    ACTION.look(ACTION.plan(want(FUNCTION, limit=5), clients).steps[0].forward, clients)

    assert client.calls == []


def test_one_function_is_all_of_the_service() -> None:
    assert ACTION.plan(want(FUNCTION, limit=5), shop.world(lambda_=shop.lambdas())).share == 1
