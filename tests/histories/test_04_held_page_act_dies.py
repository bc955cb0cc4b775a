"""History 4: a page is held for a remediation whose first call is its last: the hold ends, sweep goes on with it."""

from tests.histories.scene import ON_CALL, Scene
from tests.histories.test_03_held_page_it_helps import the_team
from tests.remediating import BAD, CELLS, GOOD
from tests.simulation.faults import Plan
from tests.simulation.shop import BAD_DEPLOY, OUTAGE

HOLD = 60


class Fatal(Plan):
    """The function dies right after its first mutating call took effect."""

    def next(self, name: str) -> str:
        """The one death."""
        if name == "ecs.update_service" and not self.happened:
            self.happened.append(name)
            return "dies after"
        return ""


def dead(ailment: str = BAD_DEPLOY, *, execution_too: bool = True) -> Scene:
    """The alarm goes off at 30 s, `act` changes the canary and dies, and at 35 s its execution is gone as well."""
    scene = Scene(the_team(HOLD), shop=True, plan=Fatal())
    scene.at(15)
    scene.shop.fall_ill("orders", ailment)
    scene.at(35)
    assert scene.shop.runs == {CELLS[0]: GOOD, CELLS[1]: BAD}
    if execution_too:
        (name,) = scene.running("remediation")
        scene.account.deployment.walker.kill(name)
    return scene


def test_the_hold_ends_and_the_page_says_exactly_what_is_applied() -> None:
    scene = dead()
    scene.at(95)

    assert scene.pages == [(90, ON_CALL, "first")]
    said = scene.last_page.text
    assert f"perhaps applied: update_service on {CELLS[0]}" in said
    assert f"not applied: update_service on {CELLS[1]}" in said
    assert f"undo by hand: aws ecs update-service --cluster shop --service orders-a --task-definition {BAD}" in said


def test_sweep_starts_the_next_attempt_which_reads_back_and_finishes() -> None:
    scene = dead()
    scene.at(400)

    assert scene.action.runs == ("apply-1", "apply-2")
    assert (scene.action.state, scene.shop.runs) == ("applied", {CELLS[0]: GOOD, CELLS[1]: GOOD})
    assert [effect.target for effect in scene.shop.effects] == [CELLS[0], CELLS[1]]
    assert [text for _, text, _ in scene.lines("call")] == [
        f"10:02:00 UTC: ecs:update_service on {CELLS[0]}: the world shows that the call went through",
        f"10:02:20 UTC: called ecs:update_service on {CELLS[1]}",
    ]
    assert scene.states()[-1][1] == "resolved"
    assert scene.pages == [(90, ON_CALL, "first")]
    assert (scene.pager.open, scene.locked()) == ({}, {})


def test_where_it_does_not_help_the_next_attempt_undoes_it_and_whoever_was_paged_is_told() -> None:
    scene = dead(OUTAGE)
    scene.at(400)

    assert (scene.action.state, scene.shop.runs) == ("undone", {CELLS[0]: BAD, CELLS[1]: BAD})
    assert scene.pages[0] == (90, ON_CALL, "first")
    assert any("everything is as it was before" in text for _, text in scene.world.notices.published)
    assert scene.locked() == {}


def test_where_only_the_function_died_its_execution_tries_again_and_nothing_is_done_twice() -> None:
    scene = dead(execution_too=False)
    scene.at(400)

    assert scene.action.runs == ("apply-1",)
    assert [effect.target for effect in scene.shop.effects] == [CELLS[0], CELLS[1]]
    assert scene.states()[-1][1] == "resolved"
