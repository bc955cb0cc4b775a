"""History 11: permissions are revoked half way: no further call, and a person knows what is applied and how to undo."""

from incident_bot import remedy
from incident_bot.domain.journal import Kind
from tests.histories.scene import ON_CALL, Scene
from tests.histories.test_03_held_page_it_helps import the_team
from tests.remediating import BAD, CELLS, GOOD
from tests.simulation.shop import BAD_DEPLOY


def revoked() -> Scene:
    """The canary is changed at 30 s; the right to change anything is gone when the rest is due at 50 s."""
    scene = Scene(the_team(), shop=True)
    scene.at(15)
    scene.shop.fall_ill("orders", BAD_DEPLOY)
    scene.at(40)
    scene.shop.denied.add("update_service")
    scene.at(55)
    return scene


def test_no_further_call_is_made_however_long_it_takes() -> None:
    scene = revoked()
    scene.at(4000)
    assert scene.shop.denials == 1
    assert [effect.target for effect in scene.shop.effects] == [CELLS[0]]
    assert [entry.kind for entry in scene.action.journal if entry.kind is Kind.DENIED] == [Kind.DENIED]


def test_the_partial_state_is_recorded_and_stays_locked() -> None:
    scene = revoked()
    scene.at(1000)
    assert scene.action.state == "partial"
    assert scene.shop.runs == {CELLS[0]: GOOD, CELLS[1]: BAD}
    assert set(scene.locked()) == set(CELLS[:2])
    (_, done, text) = scene.lines("action")[0]
    assert done.endswith(": partial")
    assert "AWS denied a call, nothing more is tried" in text


def test_a_person_is_paged_with_what_is_applied_what_is_not_and_how_to_undo_it_by_hand() -> None:
    scene = revoked()
    assert scene.pages == [(50, ON_CALL, "first")]
    said = scene.last_page.text
    assert f"applied: update_service on {CELLS[0]}" in said
    assert f"not applied: update_service on {CELLS[1]}" in said
    assert f"aws ecs update-service --cluster shop --service orders-a --task-definition {BAD}" in said


def test_once_permissions_are_back_a_person_orders_it_undone() -> None:
    scene = revoked()
    scene.at(600)
    scene.shop.denied.clear()
    remedy.order_undo(scene.world, scene.action.id, "grace", "permissions are back")
    scene.at(700)
    assert (scene.action.state, scene.locked()) == ("undone", {})
    assert set(scene.shop.runs.values()) == {BAD}
