"""History 10: two incidents want the same target: the first to lock it acts, the other waits and proposes afresh."""

from dataclasses import replace

from incident_bot.domain.team import Timing
from incident_bot.state.actions import Remediation
from tests.histories.scene import ON_CALL, Scene
from tests.remediating import CLAMP, FUNCTION
from tests.simulation.faults import Plan
from tests.simulation.remedies import all_of
from tests.simulation.shop import a_shop_team

LIFT = 300
FIRST = replace(CLAMP, parameters={"limit": 5}, lift_after_seconds=LIFT, hold_page_seconds=180)
SECOND = replace(FIRST, name="orders-clamp", when={"service": "orders"}, parameters={"limit": 3})
TEAM = replace(a_shop_team(FIRST, SECOND), timing=Timing(quiet_period=60, stale_after=3600))


def at_once() -> Scene:
    """Two unrelated incidents open in the same second; both playbooks mean the same function."""
    scene = Scene(TEAM, shop=True)
    scene.account.send(scene.alert("checkout"), scene.alert("orders"))
    scene.at(60)
    return scene


def remediations(scene: Scene, service: str) -> list[Remediation]:
    (incident,) = [found for found in scene.incidents if found.service == service]
    return [found for found in all_of(scene.account) if found.incident == incident.id]


def test_the_first_to_lock_acts_and_the_second_says_it_is_busy() -> None:
    scene = at_once()
    (first,), (second,) = remediations(scene, "checkout"), remediations(scene, "orders")
    assert (first.state, second.state) == ("applied", "busy")
    assert [effect.made for effect in scene.shop.effects] == [5]
    assert scene.locked() == {FUNCTION: first.incident}
    assert f"locked by incident {first.incident}" in second.text


def test_who_has_to_wait_holds_its_page_no_longer() -> None:
    scene = at_once()
    _, orders = scene.incidents
    assert scene.pages == [(0, ON_CALL, "first")]
    assert scene.last_page.key == orders.id
    assert "has to wait" in scene.last_page.text


def test_when_the_first_is_lifted_the_second_proposes_afresh() -> None:
    scene = at_once()
    scene.at(LIFT + 60)

    (first,), (busy, again) = remediations(scene, "checkout"), remediations(scene, "orders")
    assert (first.state, busy.state, again.state) == ("lifted", "busy", "applied")
    assert again.plan.steps[0].forward.before == {"reserved": None}
    assert [effect.made for effect in scene.shop.effects] == [5, None, 3]
    assert scene.locked() == {FUNCTION: again.incident}
    _, orders = scene.incidents
    assert f"{FUNCTION} is free again" in [text for _, text, _ in scene.lines("note", orders)]


def test_in_the_end_everything_is_as_it_was() -> None:
    scene = at_once()
    scene.at(3 * LIFT)
    assert (scene.shop.reserved, scene.locked()) == (None, {})


def test_whichever_is_overtaken_while_it_locks_one_acts_and_one_waits() -> None:
    """At every call of the one the other does all that it has to do next."""
    calls = racing(Plan()).account.plan.calls
    for number in range(calls):
        scene = racing(Plan(at={number: "meanwhile"}))
        states = sorted(found.state for found in all_of(scene.account))
        assert states == ["applied", "busy"], scene.account.plan.happened
        assert len(scene.shop.effects) == 1, scene.account.plan.happened
        assert len(scene.locked()) == 1, scene.account.plan.happened


def racing(plan: Plan) -> Scene:
    """The same, with the functions of both running at once."""
    scene = Scene(TEAM, shop=True, plan=plan)
    plan.meanwhile = scene.account.deployment.step
    scene.account.send(scene.alert("checkout"), scene.alert("orders"))
    scene.at(45)
    return scene
