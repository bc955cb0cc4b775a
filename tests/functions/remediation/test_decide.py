"""Can a request be decided from the Step Functions console, under the same rules as for people?"""

import pytest

from functions.remediation.decide import decide
from incident_bot.domain.team import Mode
from incident_bot.state import approvals
from incident_bot.virtual.checkout import definitions
from incident_bot.virtual.run import Run
from incident_bot.virtual.walker import Walker
from tests.remediating import Stage, a_playbook, the_team


def asked() -> tuple[Stage, dict[str, str]]:
    stage = Stage(the_team(a_playbook(mode=Mode.PROPOSE)))
    remediation = stage.proposed()
    given = {"approval": remediation.approval, "decision": "approve", "reason": "go", "digest": remediation.digest}
    return stage, given


def started(stage: Stage, given: dict[str, str]) -> Run:
    """The decision machine, started as an operator would in the console."""
    walker = Walker(stage.world, {"decision": definitions()["decision"]}, {"DecideFunctionArn": decide})
    stage.world.machines.start("decision", "from-the-console", given)
    walker.settle()
    return walker.runs["from-the-console"]


def test_an_approval_from_the_console_is_recorded_with_its_execution() -> None:
    stage, given = asked()

    run = started(stage, given)

    (vote,) = approvals.read(stage.world.store, given["approval"]).decisions
    assert run.execution.status == "SUCCEEDED"
    assert run.states == ["Decide", "Accepted?", "Recorded"]
    assert (vote.person, vote.via) == ("console", "console decision:from-the-console")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"digest": "other"}, "the digest is not that of the plan as it is now: read it again"),
        ({"approval": "inc1-p9"}, "there is no approval inc1-p9"),
        ({"decision": "maybe"}, "decision: is approve or reject, not 'maybe'"),
        ({"reason": ""}, "reason: say why"),
        ({"approval": None}, "there is no approval "),
    ],
)
def test_what_is_refused_fails_the_execution_with_the_reason(change: dict[str, str], reason: str) -> None:
    stage, given = asked()

    run = started(stage, given | change)

    assert run.execution.status == "FAILED"
    assert run.output == {"Error": "Refused", "Cause": reason}


def test_what_cannot_be_recorded_fails_too_and_says_what_to_do() -> None:
    stage, given = asked()
    machine, broken = {"decision": definitions()["decision"]}, stage.with_parts(store=None)
    walker = Walker(stage.world, machine, {"DecideFunctionArn": decide}, seen=broken)
    stage.world.machines.start("decision", "broken", given)
    for _ in range(5):
        walker.settle()
        stage.world.clock.advance(30)

    assert walker.runs["broken"].output["Error"] == "Refused"
    assert "try again" in walker.runs["broken"].output["Cause"]
