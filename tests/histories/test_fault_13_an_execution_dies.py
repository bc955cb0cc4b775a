"""Fault 13: an execution is aborted: the next generation owns the incident within 120 s, the old changes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from functions.closure.close import close
from functions.closure.verify import verify
from functions.enrichment.enrich import enrich
from functions.remediation.propose import propose
from functions.triage.advance import advance
from functions.triage.triage import triage
from incident_bot.domain.team import Timing
from incident_bot.virtual.store import plain
from incident_bot.world import Handler
from tests.histories.scene import ON_CALL, RESOLVED, Scene, two_teams

STAGES: Mapping[str, Handler] = {
    "triage": triage,
    "enrich": enrich,
    "propose": propose,
    "advance": advance,
    "verify": verify,
    "close": close,
}


def aborted(at: float = 30) -> Scene:
    """An incident whose execution is aborted while it waits."""
    scene = Scene(replace(two_teams(), timing=Timing(stale_after=6 * 3600)))
    scene.says("checkout")
    scene.at(at)
    (name,) = scene.running()
    scene.account.deployment.walker.kill(name)
    return scene


def test_mail_to_a_dead_execution_is_taken_by_the_next_generation_within_two_minutes() -> None:
    scene = aborted()
    scene.acknowledged("ada")
    scene.at(30 + 120)
    assert scene.running() == [f"{scene.incident.id}-2"]
    assert scene.incident.acknowledged_by == "ada"
    assert ("generation 2 takes over", "its execution was not running") in [
        (text, why) for _, text, why in scene.lines("decision")
    ]


def test_a_deadline_that_passes_over_a_dead_execution_is_kept() -> None:
    scene = aborted()
    scene.at(300 + 120)
    assert scene.pages == [(0, ON_CALL, "first"), (300, ON_CALL, "escalation")]
    assert scene.running() == [f"{scene.incident.id}-2"]


def test_the_next_generation_does_not_page_again_and_brings_it_to_its_end() -> None:
    scene = aborted()
    scene.acknowledged("ada")
    scene.at(200)
    scene.says("checkout", RESOLVED)
    scene.at(400)
    assert scene.pages == [(0, ON_CALL, "first")]
    assert (scene.states()[-1][1], scene.pager.open, scene.running()) == ("resolved", {}, [])


@pytest.mark.parametrize("stage", list(STAGES))
def test_the_old_ones_functions_that_still_run_change_nothing(stage: str) -> None:
    scene = aborted()
    scene.acknowledged("ada")
    scene.at(200)
    before = [plain(item) for item in scene.world.store]
    sent = len(scene.world.http.sent)
    event: dict[str, Any] = {"incident": scene.incident.id, "generation": 1}
    STAGES[stage](scene.world, event)
    assert [plain(item) for item in scene.world.store] == before
    assert len(scene.world.http.sent) == sent


def test_an_execution_that_dies_again_and_again_never_leaves_the_incident_alone() -> None:
    scene = aborted()
    scene.acknowledged("ada")
    for minute in range(2, 30):
        scene.at(60 * minute)
        for name in scene.running():
            scene.account.deployment.walker.kill(name)
    scene.at(4 * 3600)
    assert len(scene.running()) == 1
    assert 3 < scene.incident.generation < 30
