"""History 9: the kill switch goes on while the canary settles: it stays, journaled and locked; a person is paged."""

import pytest

from incident_bot import remedy
from incident_bot.state import controls, heads
from tests.histories.scene import ON_CALL, Scene
from tests.histories.test_03_held_page_it_helps import the_team
from tests.remediating import BAD, CELLS, GOOD
from tests.simulation.invariants import SCOPE
from tests.simulation.shop import BAD_DEPLOY, STORM, WELL

HALF_WAY = {CELLS[0]: GOOD, CELLS[1]: BAD}
AS_BEFORE = {CELLS[0]: BAD, CELLS[1]: BAD}


def switch(scene: Scene, *, on: bool) -> None:
    controls.set_kill_switch(scene.world, "ada", on=on, reason="stop the machine")


def suspended() -> Scene:
    """The canary is changed at 30 s, the switch goes on at 40 s, the settling ends at 50 s."""
    scene = Scene(the_team(), shop=True)
    scene.at(15)
    scene.shop.fall_ill("orders", BAD_DEPLOY)
    scene.at(40)
    switch(scene, on=True)
    scene.at(55)
    return scene


def test_forward_steps_stop_and_the_canary_stays_written_down_and_locked() -> None:
    scene = suspended()
    scene.at(1000)
    assert scene.shop.runs == HALF_WAY
    assert scene.action.state == "suspended"
    assert set(scene.locked()) == set(CELLS[:2])
    assert heads.read(scene.world.store, SCOPE).acting == {scene.action.id: scene.incident.id}


def test_a_person_is_paged_with_the_undo_plan() -> None:
    scene = suspended()
    assert scene.pages == [(50, ON_CALL, "first")]  # the held page, at once
    said = scene.last_page.text
    assert "the kill switch is on (ada: stop the machine)" in said
    assert f"applied: update_service on {CELLS[0]}" in said
    assert f"not applied: update_service on {CELLS[1]}" in said
    assert f"undo by hand: aws ecs update-service --cluster shop --service orders-a --task-definition {BAD}" in said


def test_an_ordered_undo_works_with_the_switch_on() -> None:
    scene = suspended()
    remedy.order_undo(scene.world, scene.action.id, "grace", "the old version lost data")
    scene.at(120)

    assert controls.kill_switch(scene.world.store)
    assert (scene.action.state, scene.shop.runs) == ("undone", AS_BEFORE)
    assert scene.locked() == {}
    (_, ordered, _) = next(line for line in scene.lines("note") if "orders" in line[1] and "undone" in line[1])
    assert ordered == f"orders that {scene.action.id} be undone: the old version lost data"
    assert scene.world.roles.assumed[-1].action == "roll_back_ecs_service"


def test_nothing_else_begins_while_it_is_on() -> None:
    scene = suspended()
    scene.shop.fall_ill("checkout", STORM)
    scene.at(600)
    _, stormy = scene.incidents
    assert scene.shop.reserved is None
    proposed = next(why for _, text, why in scene.lines("decision", stormy) if text.startswith("playbook clamp"))
    assert proposed == "kill switch: the kill switch is on (ada: stop the machine)"


def test_with_the_switch_off_again_what_was_half_way_is_put_back() -> None:
    scene = suspended()
    scene.at(100)
    switch(scene, on=False)
    scene.at(300)
    assert scene.shop.effects[1].made == BAD
    assert scene.shop.effects[1].target == CELLS[0]


@pytest.mark.parametrize("later", [False, True], ids=["while it is open", "after it was closed"])
def test_its_page_is_closed_at_the_provider_once_nothing_is_in_force(later: bool) -> None:
    scene = suspended()
    scene.shop.fall_ill("orders", WELL)
    scene.at(400 if later else 60)
    remedy.order_undo(scene.world, scene.action.id, "grace", "put it back")
    scene.at(800)

    assert (scene.incident.state, scene.pager.open) == ("resolved", {})
    assert scene.running() == []
    assert scene.lines("action")[-1][1].endswith(": undone")
