"""May a person propose an action, exactly and under every guardrail, and only somebody else approve it?"""

from typing import Any

import pytest

from incident_bot import remedy
from incident_bot.domain.errors import Conflict, Invalid, NotFound, Refused
from incident_bot.domain.mail import MailKind
from incident_bot.state import actions, approvals
from tests.remediating import CELLS, FUNCTION, Interrupted, Stage, the_team


def propose(stage: Stage, **changes: Any) -> actions.Remediation:
    asked = {
        "incident_id": "inc3",
        "action": "limit_lambda_concurrency",
        "target": FUNCTION,
        "parameters": {"limit": "5"},
        "requester": "ada",
        "reason": "it drowns the database",
    }
    return remedy.propose(**{"world": stage.world} | asked | changes)


def test_it_is_planned_recorded_and_asked_for() -> None:
    stage = Stage()

    remediation = propose(stage)

    approval = approvals.read(stage.world.store, remediation.approval)
    (mail,) = stage.mails("inc3", MailKind.PROPOSE)
    assert (remediation.requester, remediation.state, remediation.verdict) == ("ada", "proposed", "ask")
    assert remediation.plan.parameters == {"limit": 5}
    assert (approval.requester, approval.digest, approval.state) == ("ada", remediation.digest, "pending")
    assert (mail.argument, mail.actor) == (remediation.id, "ada")


def test_it_runs_once_somebody_else_approves() -> None:
    stage = Stage()
    remediation = propose(stage)

    with pytest.raises(Refused):
        stage.approve(remediation, "ada")
    stage.approve(remediation, "grace")
    stage.start(remediation)
    stage.run_for(120)

    assert stage.outcomes("inc3") == ["helped"]
    assert stage.world.roles.assumed[0].source_identity == "grace"


def test_a_persons_mitigation_has_a_deadline_as_well() -> None:
    stage = Stage()
    remediation = propose(stage)
    stage.approve(remediation, "grace")
    stage.start(remediation)
    stage.run_for(120)

    stage.run_for(remediation.lift_after_seconds + 480)

    assert stage.production.reserved is None


def test_a_target_of_another_service_is_planned_for_that_service() -> None:
    remediation = propose(Stage(), incident_id="inc1")

    assert remediation.service == "checkout"


def test_cells_means_all_of_the_service() -> None:
    remediation = propose(Stage(), incident_id="inc1", action="roll_back_ecs_service", target="cells", parameters={})

    assert remediation.plan.targets == CELLS


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"incident_id": "inc9"}, NotFound),
        ({"action": "rm"}, Invalid),
        ({"target": FUNCTION + "-other"}, Refused),
        ({"target": CELLS[0]}, Refused),  # not of the kind
        ({"target": "cells", "incident_id": "inc1"}, Refused),  # none of the kind
        ({"parameters": {"limit": "many"}}, Invalid),
        ({"parameters": {"limit": 5, "force": 1}}, Invalid),
        ({"parameters": {}}, Refused),
        ({"requester": "eve"}, Refused),
        ({"requester": ""}, Refused),
        ({"reason": " "}, Invalid),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(changes: dict[str, Any], error: type[Exception]) -> None:
    stage = Stage()

    with pytest.raises(error):
        propose(stage, **changes)
    assert [item for item in stage.world.store if item["SK"].startswith(("ACTION#", "APPROVAL#"))] == []


def test_a_denial_names_its_rule_and_is_on_the_record() -> None:
    stage = Stage(the_team(environments=()))

    with pytest.raises(Refused) as refused:
        propose(stage)

    (note,) = stage.mails("inc3", MailKind.NOTE)
    assert refused.value.rule == "environment"
    assert "denied by environment" in note.text


def test_two_at_the_same_moment_get_two_numbers() -> None:
    stage = Stage()
    racing = Interrupted(stage.world.store, first=lambda: propose(stage, requester="grace"))

    assert propose(stage, world=stage.with_parts(store=racing)).id == "inc3-a2"


def test_what_loses_for_ever_says_so() -> None:
    stage = Stage()
    losing = Interrupted(stage.world.store, error=Conflict("somebody was first"))

    with pytest.raises(Conflict):
        propose(stage, world=stage.with_parts(store=losing))
