"""Fault 5: a resolve is lost: the incident still ends, by asking the source, or because nobody repeats the alert."""

from dataclasses import replace

from incident_bot.domain.team import Timing
from tests.histories.scene import Scene, two_teams
from tests.simulation.shop import STORM, WELL, a_shop_team

STALE = 600
TIMING = Timing(quiet_period=60, stale_after=STALE)


def test_a_source_that_can_be_asked_is_asked_when_the_alert_is_stale() -> None:
    scene = Scene(replace(a_shop_team(), playbooks=(), timing=TIMING), shop=True)
    scene.shop.fall_ill("checkout", STORM)
    scene.at(60)
    scene.shop.fall_ill("checkout", WELL)
    scene.account.run_for(30, deliver=lambda lost: None)
    scene.at(STALE)
    still = scene.incident.state
    scene.at(STALE + 200)

    assert still == "active"
    assert scene.states()[-2:] == [(STALE + 10, "mitigated"), (STALE + 70, "resolved")]
    assert any("cloudwatch says it is resolved" in text for _, text, _ in scene.lines("decision"))
    assert scene.pager.open == {}


def test_a_source_that_cannot_be_asked_is_believed_over_when_it_repeats_itself_no_more() -> None:
    scene = Scene(replace(two_teams(), timing=TIMING))
    scene.says("checkout")
    for second in (300, 600, 900):
        scene.at(second)
        scene.says("checkout", occurred=0)
    scene.at(1400)
    repeated = scene.incident.state
    scene.at(900 + 3 * STALE)

    assert repeated == "active"
    assert scene.incident.state == "resolved"
    ended = scene.states()[-1][0]
    assert 900 + STALE <= ended <= 900 + 2 * STALE + 120
    assert any("its resolve was lost" in text for _, text, _ in scene.lines("decision"))


def test_the_lost_resolve_of_noise_ends_it_too() -> None:
    scene = Scene(replace(two_teams(), timing=TIMING))
    scene.at(10)
    scene.says("checkout", severity=None, occurred=0)
    scene.at(3 * STALE)
    assert scene.incident.state == "resolved"


def test_what_fires_again_after_a_lost_resolve_is_news_to_the_incident_that_waits_to_close() -> None:
    """CloudWatch tells of changes only: whoever still believes the old one to fire would take this for a repeat."""
    scene = Scene(replace(a_shop_team(), playbooks=(), timing=TIMING), shop=True)
    scene.shop.fall_ill("checkout", STORM)
    scene.at(60)
    scene.shop.fall_ill("checkout", WELL)
    scene.account.run_for(30, deliver=lambda lost: None)
    scene.at(STALE + 30)
    waiting = scene.incident.state
    scene.shop.fall_ill("checkout", STORM)
    scene.at(STALE + 200)

    assert (waiting, scene.incident.state) == ("mitigated", "active")
    assert [state for _, state in scene.states()][-2:] == ["mitigated", "active"]


def test_a_source_that_repeats_itself_after_all_is_news_too() -> None:
    scene = Scene(replace(two_teams(), timing=TIMING))
    scene.says("checkout")
    scene.acknowledged("ada")
    scene.at(STALE + 30)
    waiting = scene.incident.state
    scene.says("checkout", occurred=0)
    scene.at(STALE + 200)

    assert (waiting, scene.incident.state) == ("mitigated", "active")
    assert len(scene.incidents) == 1
