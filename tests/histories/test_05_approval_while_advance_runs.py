"""History 5: the approval is stored and mailed while the incident's worker runs; whichever comes second sees it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.triage.advance import advance
from incident_bot.domain.errors import Conflict, Refused, Unavailable
from incident_bot.domain.incident import Incident
from incident_bot.domain.team import Mode, Timing
from incident_bot.state import approvals
from incident_bot.world import Update
from tests.histories.scene import Scene
from tests.remediating import CLAMP
from tests.signalling import turn_of
from tests.simulation.faults import Plan
from tests.simulation.remedies import all_of
from tests.simulation.shop import STORM, a_shop_team

TEAM = replace(a_shop_team(replace(CLAMP, mode=Mode.PROPOSE)), timing=Timing(quiet_period=60, stale_after=3600))


def asked() -> Scene:
    """A storm at 10 s; the clamp is planned and a person is asked. The incident waits."""
    scene = Scene(TEAM, shop=True)
    scene.shop.fall_ill("checkout", STORM)
    scene.at(30)
    assert (scene.action.state, scene.shop.reserved) == ("proposed", None)
    return scene


def approve(scene: Scene, person: str = "ada", digest: str = "", decision: str = "approve") -> None:
    approvals.decide(scene.world, scene.action.approval, decision, "go on", digest or scene.action.digest, person)


class Meanwhile:
    """A store in which something happens right before, or right after, the token is parked."""

    def __init__(self, scene: Scene, happens: Callable[[], None], *, before: bool) -> None:
        self._store, self._happens, self._before = scene.world.store, happens, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def update(self, update: Update) -> Any:
        """Park the token, with what happens in between."""
        parks = "token" in update.set
        if parks and self._before:
            self._happens()
        try:
            return self._store.update(update)
        finally:
            if parks and not self._before:
                self._happens()


def parking(scene: Scene, store: Any, incident: Incident) -> list[str]:
    """Await's worker runs once more over that store; the tokens that are woken in it."""
    parts: dict[str, Any] = {"store": store}
    before = len(scene.world.machines.woken)
    advance(replace(scene.world, **parts), {**turn_of(incident), "token": "the token"})
    return scene.world.machines.woken[before:]


@pytest.mark.parametrize("before", [True, False], ids=["approval first", "token first"])
def test_whichever_comes_second_sees_the_other(before: bool) -> None:
    scene = asked()
    incident = scene.incident
    woken = parking(scene, Meanwhile(scene, lambda: approve(scene), before=before), incident)
    assert "the token" in woken


@pytest.mark.parametrize("before", [True, False], ids=["approval first", "token first"])
def test_it_runs_once(before: bool) -> None:
    scene = asked()
    if before:
        parking(scene, Meanwhile(scene, lambda: approve(scene), before=True), scene.incident)
    else:
        approve(scene)  # the execution's own token is parked
    scene.at(120)

    assert scene.shop.reserved == 5
    assert [effect.made for effect in scene.shop.effects] == [5]
    assert scene.action.approvers == ("ada",)
    assert [text for _, text, _ in scene.lines("approval")] == [f"approve {scene.action.approval}"]
    (assumed,) = scene.world.roles.assumed
    assert assumed.source_identity == "ada"


def test_a_second_click_answers_409_and_changes_nothing() -> None:
    scene = asked()
    approve(scene)
    with pytest.raises(Refused) as second:
        approve(scene)
    with pytest.raises(Refused) as anothers:
        approve(scene, "grace")
    scene.at(120)
    with pytest.raises(Refused) as after_it_ran:
        approve(scene, "grace")

    assert (second.value.status, anothers.value.status, after_it_ran.value.status) == (409, 409, 409)
    assert len(scene.shop.effects) == 1


def test_another_plans_digest_is_refused_and_the_request_stays_open() -> None:
    scene = asked()
    with pytest.raises(Refused) as refused:
        approve(scene, digest="0" * 64)
    assert (refused.value.status, refused.value.rule) == (409, "digest")
    assert approvals.read(scene.world.store, scene.action.approval).state == "pending"


def test_an_approval_whose_wake_up_is_lost_is_applied_within_two_minutes() -> None:
    """Fault 7: everything is throttled but the table."""
    scene = asked()
    scene.world.machines.down = True
    with pytest.raises(Unavailable):
        approve(scene)
    scene.world.machines.down = False
    scene.at(scene.now + 120)
    assert scene.shop.reserved == 5


def test_an_expired_approval_never_runs_and_says_410() -> None:
    """Fault 8."""
    scene = asked()
    scene.at(30 + 900)
    with pytest.raises(Refused) as late:
        approve(scene)
    scene.at(1200)

    assert late.value.status == 410
    assert (scene.shop.effects, scene.action.state) == ([], "expired")
    assert any("expired" in text for _, text, _ in scene.lines("approval"))


def test_a_rejection_stops_it_for_good() -> None:
    scene = asked()
    approve(scene, decision="reject")
    scene.at(600)
    assert (scene.shop.effects, scene.action.state) == ([], "rejected")


def test_two_people_who_click_at_once_are_one_approval() -> None:
    scene = asked()
    store = scene.world.store
    clicks: list[str] = []

    class Late:
        """A store whose first write comes after somebody else's click."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def write(self, writes: Any) -> None:
            """The other one is faster."""
            if not clicks:
                clicks.append("grace")
                approve(scene, "grace")
            store.write(writes)

    parts: dict[str, Any] = {"store": Late()}
    with pytest.raises((Refused, Conflict)):
        approvals.decide(
            replace(scene.world, **parts), scene.action.approval, "approve", "go", scene.action.digest, "ada"
        )
    scene.at(120)
    assert (scene.action.approvers, len(scene.shop.effects)) == (("grace",), 1)


def test_an_approval_at_any_call_of_anybody_runs_it_once() -> None:
    """Somebody clicks as soon as there is something to approve: between any two calls of whatever is at work."""
    for number in range(0, interrupted(Plan()).account.plan.calls, 2):
        scene = interrupted(Plan(at={number: "meanwhile"}))
        assert [effect.made for effect in scene.shop.effects] == [5], scene.account.plan.happened
        assert scene.incident.state in ("mitigated", "resolved"), scene.account.plan.happened


def interrupted(plan: Plan) -> Scene:
    """A storm at 10 s and an acknowledgement while people are asked; who has not clicked by 35 s does so then."""
    scene = Scene(TEAM, shop=True, plan=plan)
    plan.meanwhile = lambda: click(scene)
    scene.shop.fall_ill("checkout", STORM)
    scene.at(15)
    scene.acknowledged("grace")
    scene.at(35)
    click(scene)
    scene.at(90)
    return scene


def click(scene: Scene) -> None:
    for found in all_of(scene.account):
        if found.approval and approvals.read(scene.world.store, found.approval).state == "pending":
            approve(scene)
