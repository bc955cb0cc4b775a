"""Flapping and transient alerts end to end: held, one incident, one page - and a critical one is never held off."""

from datetime import date

import pytest

from incident_bot.domain.alert import Severity
from incident_bot.domain.team import Rule
from tests.histories.scene import RESOLVED, Scene, two_teams

TRANSIENT = Rule("transient", "payments", date(2027, 1, 1), {"title": "*"}, hold_seconds=45)


def flap(scene: Scene, *firings: float, lasts: float = 30, severity: Severity = Severity.SEV2) -> None:
    """The series fires at those moments, each time for so long."""
    for at in firings:
        scene.at(at)
        scene.says("checkout", severity=severity)
        scene.at(at + lasts)
        scene.says("checkout", RESOLVED, severity=severity)


def first_pages(scene: Scene) -> list[int]:
    return [at for at, _, purpose in scene.pages if purpose != "escalation"]


def test_what_flaps_faster_than_it_closes_is_one_incident_and_one_page() -> None:
    scene = Scene()
    flap(scene, *range(0, 600, 40), lasts=20)
    assert (first_pages(scene), len(scene.incidents)) == ([0], 1)


def test_what_is_known_to_flap_slowly_holds_its_incident_open() -> None:
    """Trap 17. The first may be a fault that was repaired; what it opens again soon afterwards stays open."""
    scene = Scene()
    flap(scene, *range(0, 3600, 300))
    assert len(scene.incidents) == 2
    assert scene.incidents[1].reopens == scene.incidents[0].id
    assert first_pages(scene) == [0, 300]


def test_a_transient_that_clears_in_time_wakes_nobody_however_often_it_comes() -> None:
    scene = Scene(two_teams(rules=(TRANSIENT,)))
    flap(scene, *range(0, 3000, 600))
    assert scene.pages == []
    assert all("not paged: payments would have been" in str(scene.lines("decision", i)) for i in scene.incidents)


def test_coming_and_going_does_not_begin_the_hold_anew() -> None:
    scene = Scene(two_teams(rules=(TRANSIENT,)))
    flap(scene, 0, 20, 40, 60, lasts=10)
    assert first_pages(scene) == [45]


def test_a_critical_one_that_flaps_is_paged_once_and_held_open() -> None:
    scene = Scene(two_teams(rules=(TRANSIENT,)))
    flap(scene, *range(0, 3000, 300), severity=Severity.SEV1)
    assert first_pages(scene) == [600]
    assert [incident.noise for incident in scene.incidents] == [True, True, False]


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2])
def test_it_is_no_transient_once_it_outlasts_the_hold(severity: Severity) -> None:
    scene = Scene(two_teams(rules=(TRANSIENT,)))
    scene.says("checkout", severity=severity)
    scene.at(120)
    assert first_pages(scene) == [45]


def test_a_second_signal_pages_a_critical_one_at_once() -> None:
    scene = Scene(two_teams(rules=(TRANSIENT,)))
    scene.says("checkout", severity=Severity.SEV1)
    scene.at(10)
    scene.says("checkout", severity=Severity.SEV1, title="queue full", identity={"alert": "queue"})
    scene.at(120)
    assert first_pages(scene) == [10]
