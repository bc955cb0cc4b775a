"""Who counts as a person, and who could make itself one and therefore does not."""

import pytest

from incident_bot.domain.caller import flaw_of, person_of
from tests.building import a_person, a_team

USER = "arn:aws:iam::000000000000:user/ada"
ONE = "arn:aws:sts::000000000000:assumed-role/AWSReservedSSO_OnCall_*/ada@shop.example"
PINNED = "arn:aws:sts::000000000000:assumed-role/on-call-ada/ada"


@pytest.mark.parametrize(
    ("caller", "known"),
    [
        (USER, True),
        ("arn:aws:iam::000000000000:user/Ada", False),
        ("arn:aws:iam::000000000000:user/ada/bob", False),
        ("arn:aws:iam::111111111111:user/ada", False),
        ("arn:aws:iam::000000000000:root", False),
        ("", False),
        (PINNED, True),
        ("arn:aws:sts::000000000000:assumed-role/on-call-ada/bob", False),
        ("arn:aws:sts::000000000000:assumed-role/deployment/ada", False),
        ("arn:aws:sts::000000000000:assumed-role/AWSReservedSSO_OnCall_0123abcd/ada@shop.example", True),
        ("arn:aws:sts::000000000000:assumed-role/AWSReservedSSO_OnCall_0123abcd/bob@shop.example", False),
        ("arn:aws:sts::000000000000:assumed-role/AWSReservedSSO_OnCall_x/y/ada@shop.example", False),
        ("arn:aws:sts::000000000000:assumed-role/AWSReservedSSO_Admin_0123abcd/ada@shop.example", False),
    ],
)
def test_a_caller_is_a_person_only_by_an_identity_of_theirs(caller: str, known: bool) -> None:
    team = a_team(people={"ada": a_person(arns=(USER, ONE, PINNED))})
    person = person_of(caller, team)
    assert (person is not None and person.id == "ada") is known


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (USER, ""),
        (ONE, ""),
        (PINNED, ""),
        ("arn:${AWS::Partition}:iam::${AWS::AccountId}:user/team/ada", ""),
        ("arn:aws:iam::000000000000:role/on-call", "neither an IAM user's"),
        ("arn:aws:iam::000000000000:user/*", "neither an IAM user's"),
        ("arn:aws:sts::000000000000:assumed-role/on-call/*", "neither an IAM user's"),
        ("arn:aws:sts::000000000000:assumed-role/on-call-*/ada", "only an Identity Center role"),
        ("arn:aws:sts::000000000000:assumed-role/*/ada", "neither an IAM user's"),
        ("ada", "neither an IAM user's"),
    ],
)
def test_an_identity_that_its_holder_could_choose_is_refused(identity: str, reason: str) -> None:
    assert reason in flaw_of(identity)
    assert bool(flaw_of(identity)) is bool(reason)
