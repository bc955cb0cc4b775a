"""History 3: a full-mode playbook holds the page; canary, check, rest, check; resolved, and nobody was woken."""

from dataclasses import replace

from incident_bot.domain.alert import Severity
from incident_bot.domain.journal import Kind
from incident_bot.domain.team import Team, Timing
from incident_bot.virtual.clock import T0
from tests.histories.scene import ON_CALL, Scene
from tests.remediating import BAD, CELLS, CLAMP, GOOD, a_playbook
from tests.simulation.shop import BAD_DEPLOY, OUTAGE, a_shop_team


def the_team(hold: int = 180) -> Team:
    """`orders` is rolled back by itself, which may hold its page for so long; `checkout` is clamped."""
    team = a_shop_team(a_playbook(hold_page_seconds=hold), CLAMP)
    return replace(team, timing=Timing(quiet_period=60, stale_after=3600))


def a_bad_deploy(ailment: str = BAD_DEPLOY) -> Scene:
    """At 15 s the new version begins to fail; its alarm goes off at 30 s."""
    scene = Scene(the_team(), shop=True)
    scene.at(15)
    scene.shop.fall_ill("orders", ailment)
    scene.at(31)
    return scene


def test_cell_by_cell_each_checked_before_the_next() -> None:
    scene = a_bad_deploy()
    canary = dict(scene.shop.runs)
    scene.at(200)

    assert canary == {CELLS[0]: GOOD, CELLS[1]: BAD}
    assert scene.shop.runs == {CELLS[0]: GOOD, CELLS[1]: GOOD}
    steps = [
        (round((e.at - T0).total_seconds()), e.kind, e.step) for e in scene.action.journal if e.kind != Kind.OPENED
    ]
    assert steps == [
        (30, Kind.INTENDED, 0),
        (30, Kind.DONE, 0),
        (50, Kind.CHECKED, -1),
        (50, Kind.INTENDED, 1),
        (50, Kind.DONE, 1),
        (70, Kind.CHECKED, -1),
        (70, Kind.ENDED, -1),
    ]


def test_it_is_resolved_and_nobody_was_woken_but_the_record_says_who_would_have_been() -> None:
    scene = a_bad_deploy()
    held = scene.lines("decision")[1]
    scene.at(200)

    why = "playbook-hold: playbook orders-rollback may fix it unattended"
    assert held[1:] == ("the page is held until 10:03:30 UTC at most", why)
    assert scene.states() == [(30, "triaged"), (30, "active"), (60, "mitigated"), (120, "resolved")]
    assert (scene.pages, scene.world.notices.published, scene.incident.pages) == ([], [], 0)
    why = "cleared: no alert of it fires any more"
    assert (60, "not paged: rota:payments would have been", why) in scene.lines("decision")


def test_every_call_is_on_the_timeline_with_its_time_and_nothing_is_left_behind() -> None:
    scene = a_bad_deploy()
    scene.at(200)

    assert [text for _, text, _ in scene.lines("call")] == [
        f"10:00:30 UTC: called ecs:update_service on {CELLS[0]}",
        f"10:00:50 UTC: called ecs:update_service on {CELLS[1]}",
    ]
    assert scene.locked() == {}
    assert scene.running() == scene.running("remediation") == []
    assert [assumed.source_identity for assumed in scene.world.roles.assumed] == ["guardrails", "guardrails"]


def test_a_rollback_that_does_not_help_is_undone_and_the_held_page_goes_out_at_once() -> None:
    scene = a_bad_deploy(OUTAGE)
    scene.at(100)

    assert scene.shop.runs == {CELLS[0]: BAD, CELLS[1]: BAD}
    assert scene.pages == [(50, ON_CALL, "first")]
    assert "undone" in scene.last_page.text
    assert [effect.target for effect in scene.shop.effects] == [CELLS[0], CELLS[0]]
    assert scene.locked() == {}


def test_it_getting_worse_meanwhile_ends_the_hold() -> None:
    scene = a_bad_deploy()
    scene.says("orders", severity=Severity.SEV1, title="orders is down", identity={"alert": "down"})
    assert scene.pages == [(31, ON_CALL, "first")]
