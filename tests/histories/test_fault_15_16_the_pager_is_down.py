"""Faults 15 and 16: the pager hangs or is down: the next channel, then SNS, within 60 s; enrichment cannot delay it."""

from dataclasses import replace
from typing import Any

import pytest

from incident_bot.domain.team import ChannelSettings, EscalationStep, StormMode, Team
from tests.building import a_group
from tests.histories.scene import ON_CALL, RESOLVED, Scene, two_teams

BY_BOTH = (EscalationStep(("rota:payments",), ("pagerduty", "webhook"), wait_seconds=300),)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def two_channels() -> Team:
    """`payments` has a second channel."""
    team = two_teams()
    channels = {**team.channels, "webhook": ChannelSettings(url="http://receiver.test/hook", secret="channels/webhook")}
    return replace(team, channels=channels, groups={**team.groups, "payments": a_group(steps=BY_BOTH)})


def without_pagerduty(how: str, team: Team | None = None) -> Scene:
    """PagerDuty is down, or takes requests and never answers."""
    scene = Scene(team)
    scene.world.secrets.known["channels/webhook"] = (SECRET,)
    scene.world.http.answer("http://receiver.test/hook", 200)
    setattr(scene.pager, how, True)
    return scene


@pytest.mark.parametrize("how", ["down", "hangs"])
def test_the_next_channel_takes_the_page(how: str) -> None:
    scene = without_pagerduty(how, two_channels())
    scene.says("checkout")
    scene.at(60)
    taken = [request for request in scene.world.http.sent if request.url == "http://receiver.test/hook"]
    assert len(taken) == 1
    assert any(text == f"paged {ON_CALL} by webhook" for _, text, _ in scene.lines("page"))
    assert scene.world.notices.published == []


@pytest.mark.parametrize("how", ["down", "hangs"])
def test_with_no_other_channel_the_notices_topic_has_it_within_the_minute_and_says_why(how: str) -> None:
    scene = without_pagerduty(how)
    scene.says("checkout")
    scene.at(60)
    ((subject, text),) = scene.world.notices.published
    assert "checkout" in subject
    assert "pagerduty: PagerDuty did not answer" in text
    assert scene.incident.pages == 1


def test_a_hanging_pager_costs_the_consumer_no_more_than_its_budget() -> None:
    scene = without_pagerduty("hangs")
    scene.says("checkout")
    assert scene.now <= 1.5
    assert scene.running() == [f"{scene.incident.id}-1"]


def test_a_storm_behind_a_hanging_pager_is_taken_in_all_the_same() -> None:
    scene = without_pagerduty("hangs", replace(two_teams(), storm=StormMode(pages=20)))
    for number in range(20):
        scene.account.send(scene.alert(f"unknown-{number}", title=f"t{number}", identity={"n": str(number)}))
    scene.at(60)
    assert len(scene.incidents) == 20
    assert len({text for _, text in scene.world.notices.published}) == 20


def test_once_it_is_up_again_what_stands_there_is_closed_there() -> None:
    scene = without_pagerduty("down")
    scene.says("checkout")
    scene.at(30)
    scene.pager.down = False
    scene.at(310)
    escalated = list(scene.pages)
    scene.says("checkout", RESOLVED)
    scene.at(600)
    assert escalated == [(300, ON_CALL, "escalation")]
    assert scene.pager.open == {}


def test_with_the_pager_and_the_notices_down_it_is_tried_until_one_of_them_is_back() -> None:
    scene = without_pagerduty("down")
    scene.world.notices.down = True
    scene.says("checkout")
    scene.at(250)
    scene.world.notices.down = False
    scene.at(250 + 120)
    assert any("checkout" in subject for subject, _ in scene.world.notices.published)


def test_facts_that_hang_delay_no_page() -> None:
    """The page has left before anything is enriched; a fact that fails is a line on the record."""
    scene = Scene()
    hung: list[str] = []

    class Hanging:
        def client(self, service: str) -> Any:
            hung.append(service)
            scene.world.clock.advance(8)
            raise TimeoutError(f"{service} did not answer")

    scene.world.clients.client = Hanging().client  # type: ignore[method-assign]
    scene.says("checkout")
    scene.at(120)
    assert hung
    assert scene.pages == [(0, ON_CALL, "first")]
    assert any("did not answer" in why for _, _, why in scene.lines("fact"))
