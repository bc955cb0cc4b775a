"""Are kinds and locks of resources read from their ARNs?"""

import pytest

from incident_bot.domain.arn import flaw_of, kind_of, name_of, resolved

PREFIX = "arn:aws:lambda:us-east-1:000000000000:function"


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (f"{PREFIX}:checkout", "AWS::Lambda::Function"),
        (f"{PREFIX}:checkout:live", "AWS::Lambda::Alias"),
        ("arn:aws:ecs:us-east-1:000000000000:service/shop/orders", "AWS::ECS::Service"),
        (
            "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:service/shop/orders",
            "AWS::ECS::Service",
        ),
        ("arn:aws:ecs:us-east-1:000000000000:cluster/shop", "AWS::ecs::cluster"),
        ("arn:aws:events:us-east-1:000000000000:rule/nightly", "AWS::events::rule"),
        ("checkout", ""),
    ],
)
def test_the_kind_is_what_the_arn_says(arn: str, kind: str) -> None:
    assert kind_of(arn) == kind


def test_an_alias_and_its_function_share_a_lock_and_nothing_else_does() -> None:
    assert resolved(f"{PREFIX}:checkout:live") == resolved(f"{PREFIX}:checkout") == f"{PREFIX}:checkout"
    assert resolved("arn:aws:ecs:us-east-1:0:service/shop/a") == "arn:aws:ecs:us-east-1:0:service/shop/a"
    assert resolved("checkout") == "checkout"


def test_what_is_no_arn_is_told_how_one_looks() -> None:
    assert flaw_of(f"{PREFIX}:checkout") == ""
    assert "arn:PARTITION:SERVICE" in flaw_of("checkout")


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{PREFIX}:checkout", "checkout"),
        (f"{PREFIX}:checkout:live", "checkout:live"),
        ("arn:aws:ecs:us-east-1:000000000000:service/shop/orders-a", "orders-a"),
        ("arn:aws:ecs:us-east-1:000000000000:task-definition/orders:2", "orders:2"),
        ("arn:aws:sqs:us-east-1:000000000000:queue", "queue"),
        ("checkout", "checkout"),
    ],
)
def test_people_call_it_by_a_short_name(arn: str, name: str) -> None:
    assert name_of(arn) == name
