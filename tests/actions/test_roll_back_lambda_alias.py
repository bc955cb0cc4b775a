"""Does the alias go back one version, only where that is safe, and only from what the plan saw?"""

import pytest

from incident_bot.actions.roll_back_lambda_alias import ACTION
from incident_bot.domain.errors import Refused
from tests.actions import shop
from tests.actions.shop import ALIAS, want


def serves(client: shop.Counted) -> str:
    return str(client.get_alias(FunctionName="checkout-api", Name="live")["FunctionVersion"])


def test_it_goes_back_one_version_and_forth_again() -> None:
    client = shop.lambdas(versions=3)
    clients = shop.world(lambda_=client)
    step = ACTION.plan(want(ALIAS), clients).steps[0]

    ACTION.make(step.forward, clients)
    back = serves(client)
    ACTION.make(shop.inverse(step.inverse), clients)

    assert (back, serves(client)) == ("2", "3")
    assert ACTION.look(step.forward, clients) == "not applied"


def test_a_deleted_version_is_skipped() -> None:
    client = shop.lambdas(versions=3)
    client.delete_function(FunctionName="checkout-api", Qualifier="2")

    plan = ACTION.plan(want(ALIAS), shop.world(lambda_=client))

    assert plan.steps[0].forward.after == {"version": "1"}


def test_the_first_version_has_nothing_before_it() -> None:
    with pytest.raises(Refused, match="no version before 1"):
        ACTION.plan(want(ALIAS), shop.world(lambda_=shop.lambdas(versions=1)))


def test_latest_has_no_predecessor() -> None:
    client = shop.lambdas()
    client.update_alias(FunctionName="checkout-api", Name="live", FunctionVersion="$LATEST")

    with pytest.raises(Refused, match="no predecessor"):
        ACTION.plan(want(ALIAS), shop.world(lambda_=client))


def test_a_release_under_way_is_left_alone() -> None:
    client = shop.lambdas()
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    client.update_alias(FunctionName="checkout-api", Name="live", FunctionVersion="3", RoutingConfig=weights)

    with pytest.raises(Refused, match="split between two versions"):
        ACTION.plan(want(ALIAS), shop.world(lambda_=client))


def test_weights_that_came_meanwhile_are_drift() -> None:
    client = shop.lambdas()
    clients = shop.world(lambda_=client)
    step = ACTION.plan(want(ALIAS), clients).steps[0]
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    client.update_alias(FunctionName="checkout-api", Name="live", FunctionVersion="3", RoutingConfig=weights)

    assert ACTION.look(step.forward, clients) == "drifted"


def test_it_changes_only_the_revision_that_the_plan_saw() -> None:
    client = shop.lambdas()
    clients = shop.world(lambda_=client)
    step = ACTION.plan(want(ALIAS), clients).steps[0]
    client.update_alias(FunctionName="checkout-api", Name="live", FunctionVersion="1")

    with pytest.raises(Refused, match="serves 1 now"):
        ACTION.make(step.forward, clients)
    assert serves(client) == "1"
