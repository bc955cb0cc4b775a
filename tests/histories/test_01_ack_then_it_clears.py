"""History 1: alert, page, acknowledgement; the source resolves and is asked; it stays quiet, is closed and drafted."""

from dataclasses import replace

import pytest

from incident_bot.domain.team import Timing
from incident_bot.operating import orders
from tests.histories.scene import FIRING, ON_CALL, RESOLVED, Scene, an_alert_at
from tests.simulation.shop import ARN, STORM, WELL, a_shop_team

TEAM = replace(a_shop_team(), playbooks=(), timing=Timing(quiet_period=60, stale_after=3600))


def stormy() -> Scene:
    """A storm of cold starts whose alarm went off at 10 s."""
    scene = Scene(TEAM, shop=True)
    scene.shop.fall_ill("checkout", STORM)
    scene.at(60)
    return scene


def test_from_the_alarm_to_the_draft() -> None:
    scene = stormy()
    scene.acknowledged("ada")
    at_the_provider = dict(scene.pager.open)
    scene.at(400)
    scene.shop.fall_ill("checkout", WELL)
    scene.at(600)

    assert scene.states() == [(10, "triaged"), (10, "active"), (410, "mitigated"), (470, "resolved")]
    assert scene.pages == [(10, ON_CALL, "first")]
    assert at_the_provider == {scene.incident.id: "acknowledged"}
    assert scene.pager.open == {}
    assert scene.running() == []
    assert "ada" in scene.draft()


def test_each_decision_on_the_way_has_its_reason() -> None:
    scene = stormy()
    scene.acknowledged("ada")
    scene.shop.fall_ill("checkout", WELL)
    scene.at(200)

    reasons = {text: (at, why) for at, text, why in scene.lines("decision")}
    assert reasons["sev2 of checkout (payments), pages"] == (10, "sev2-pages: Sev2 that touches customers pages")
    assert reasons["acknowledged; ada is incident commander"] == (60, "acknowledged: on it")
    assert "checkout-throttles: cloudwatch says it is resolved" in reasons
    assert reasons["it closes after 60 s without news"] == (70, "recovery is verified")
    assert scene.lines("closure") == [(130, "the incident is resolved", "it stayed quiet")]


def test_without_the_acknowledgement_the_next_step_is_paged_after_its_wait() -> None:
    scene = stormy()
    scene.at(320)
    assert scene.pages == [(10, ON_CALL, "first"), (310, ON_CALL, "escalation")]


@pytest.mark.parametrize("acknowledged", [True, False])
def test_firing_again_inside_the_quiet_period_returns_to_active_without_a_second_page(acknowledged: bool) -> None:
    scene = stormy()
    if acknowledged:
        scene.acknowledged("ada")
    scene.shop.fall_ill("checkout", WELL)
    scene.at(100)
    scene.shop.fall_ill("checkout", STORM)
    scene.at(130)
    again = scene.incident.state
    scene.shop.fall_ill("checkout", WELL)
    scene.at(300)

    assert again == "active"
    assert scene.states() == [
        (10, "triaged"),
        (10, "active"),
        (70, "mitigated"),
        (110, "active"),
        (140, "mitigated"),
        (200, "resolved"),
    ]
    assert scene.pages == [(10, ON_CALL, "first")]
    assert len(scene.incidents) == 1


def test_a_source_that_says_it_still_fires_is_believed_over_its_message() -> None:
    scene = stormy()
    changes = {
        "source": "cloudwatch",
        "title": "checkout-throttles",
        "identity": {"account": "000000000000", "region": "us-east-1", "alarm": "checkout-throttles"},
        "ask": ARN.format("checkout-throttles"),
    }
    scene.account.send(an_alert_at(60, "checkout", RESOLVED, **changes))
    scene.at(300)

    assert [state for _, state in scene.states()] == ["triaged", "active", "mitigated", "active"]
    assert scene.incident.firing
    assert any("cloudwatch says it still fires" in text for _, text, _ in scene.lines("decision"))


def test_a_persons_word_skips_the_quiet_period_and_not_the_source() -> None:
    scene = Scene(TEAM)
    scene.says("checkout", FIRING)
    scene.at(30)
    orders.resolve(scene.world, scene.incident.id, scene.world.team.people["ada"], "it was a drill")
    scene.at(31)

    assert scene.states()[-1] == (30, "resolved")
    assert any("ada's word counts" in text for _, text, _ in scene.lines("decision"))


def test_a_persons_word_against_the_sources_is_refused() -> None:
    scene = stormy()
    orders.resolve(scene.world, scene.incident.id, scene.world.team.people["ada"], "looks fine to me")
    scene.at(200)

    assert scene.incident.state == "active"
    assert any("ada's resolve is refused" in text for _, text, _ in scene.lines("decision"))
