"""Does `check` call a remediation helpful only where the signals of what it touched say so?"""

from typing import Any

import pytest

from functions.remediation.act import act
from functions.remediation.check import check
from incident_bot.domain.journal import Kind
from incident_bot.state import actions
from tests.remediating import CELLS, GOOD, Stage, the_team


def event(**more: Any) -> dict[str, Any]:
    return {"incident": "inc1", "action": "inc1-a1", "purpose": "apply", "attempt": 1, **more}


def acted(stage: Stage) -> Stage:
    """The canary is changed and has settled."""
    stage.proposed()
    act(stage.world, event())
    stage.world.clock.advance(25)
    return stage


def checked(stage: Stage) -> str:
    return str(check(stage.world, event(phase="canary"))["next"])


def test_a_canary_that_helped_lets_the_rest_follow() -> None:
    assert checked(acted(Stage())) == "rest"


def test_a_canary_that_did_not_help_is_undone() -> None:
    stage = Stage()
    stage.production.sick = lambda _: True

    assert checked(acted(stage)) == "undo"
    assert actions.read(stage.world.store, "inc1-a1").journal[-1].kind is Kind.TURNED


def test_only_the_targets_that_were_touched_are_asked() -> None:
    stage = Stage()
    stage.production.sick = lambda target: target != CELLS[0]

    assert checked(acted(stage)) == "rest"


def test_no_data_is_waited_for_and_then_is_no_help() -> None:
    stage = Stage()
    stage.production.silent = True
    acted(stage)

    assert checked(stage) == "settle"
    stage.world.clock.advance(60)
    assert checked(stage) == "undo"


def test_a_signal_that_cannot_be_read_is_no_data() -> None:
    stage = acted(Stage())

    def denied(**_: Any) -> Any:
        raise PermissionError("GetMetricData")

    stage.production.get_metric_data = denied  # type: ignore[method-assign]

    assert checked(stage) == "settle"


def test_everything_applied_and_helped_is_the_end_of_it() -> None:
    stage = Stage(the_team(cells=CELLS[:1]), cells=CELLS[:1])

    assert checked(acted(stage)) == "release"
    found = actions.read(stage.world.store, "inc1-a1")
    assert (found.outcome, found.state) == ("helped", "applied")
    assert stage.production.runs == {CELLS[0]: GOOD}


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_run_that_does_not_own_it_decides_nothing(attempt: int) -> None:
    stage = acted(Stage())
    act(stage.world, event(attempt=2))

    answer = check(stage.world, event(attempt=attempt))

    assert (answer["next"] == "ended") is (attempt == 1)
