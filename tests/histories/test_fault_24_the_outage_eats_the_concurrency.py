"""Faults 12 and 24: nothing but what pages gets any concurrency: people know within 60 s, and nothing fails silently.

That the paging functions have concurrency of their own is asserted on the template; here every other one is starved.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from incident_bot.virtual import checkout
from incident_bot.virtual.checkout import placeholder
from incident_bot.world import Handler, World
from tests.histories.scene import ON_CALL, RESOLVED, Scene

OTHERS = ("triage", "enrich", "propose", "advance", "verify", "close")


class TooManyRequestsError(Exception):
    """Lambda has no concurrency left for this function."""


class Starved:
    """The functions of an account, some of which get no concurrency until they are fed again."""

    def __init__(self, *stages: str) -> None:
        self.fed = False
        names = {placeholder(stage) for stage in stages}
        functions = {n: self._starving(h) if n in names else h for n, h in checkout.handlers().items()}
        self.scene = Scene(functions=functions)

    def _starving(self, handler: Handler) -> Handler:
        def invoke(world: World, event: Mapping[str, Any]) -> Any:
            if not self.fed:
                raise TooManyRequestsError
            return handler(world, event)

        return invoke


def test_the_page_leaves_with_no_concurrency_for_anything_else() -> None:
    scene = Starved(*OTHERS).scene
    scene.says("checkout")
    scene.at(60)
    assert scene.pages == [(0, ON_CALL, "first")]


@pytest.mark.parametrize("stage", ["triage", "advance", "verify", "close"])
def test_a_stage_that_never_gets_any_makes_step_functions_itself_tell_people(stage: str) -> None:
    scene = Starved(stage).scene
    scene.says("checkout", ask="alarm", source="cloudwatch")
    scene.at(20)
    scene.says("checkout", RESOLVED, ask="alarm", source="cloudwatch")
    scene.at(900)
    assert any(f"the stage {stage.title()} failed" in text for _, text in scene.world.notices.published) or any(
        "the stage Await failed" in text for _, text in scene.world.notices.published
    )


@pytest.mark.parametrize("stage", ["enrich", "propose"])
def test_what_is_only_helpful_stops_nothing(stage: str) -> None:
    scene = Starved(stage).scene
    scene.says("checkout")
    scene.at(60)
    scene.says("checkout", RESOLVED)
    scene.at(300)
    assert scene.states()[-1][1] == "resolved"
    assert scene.world.notices.published == []


def test_when_concurrency_is_back_the_incident_goes_on_to_its_end() -> None:
    starved = Starved("triage", "advance")
    scene = starved.scene
    scene.says("checkout")
    scene.at(100)
    scene.says("checkout", RESOLVED)
    scene.at(600)
    starved.fed = True
    scene.at(3600)
    assert scene.incident.state == "resolved"
    assert (scene.pager.open, scene.running()) == ({}, [])
    assert [purpose for _, _, purpose in scene.pages] == ["first"]
