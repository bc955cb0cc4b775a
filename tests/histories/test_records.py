"""Below the paging threshold (G1): a ticket is an open incident that wakes nobody, a record tells nobody and ends."""

from dataclasses import replace

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import State
from tests.histories.scene import RESOLVED, Scene, two_teams


def a_scene() -> Scene:
    return Scene(replace(two_teams(), records=Severity.SEV5))


def test_a_record_has_no_execution_and_ends_by_itself() -> None:
    scene = a_scene()
    scene.says("checkout", severity=Severity.SEV5)
    assert (scene.incident.noise, scene.incident.generation) == (True, 0)
    assert "sev5 and milder is recorded" in str(scene.lines("decision"))
    scene.at(60)
    scene.says("checkout", RESOLVED, severity=Severity.SEV5)
    scene.at(300)
    assert (scene.incident.state, scene.pages) == (State.RESOLVED, [])


def test_a_ticket_is_an_open_incident_that_wakes_nobody() -> None:
    scene = a_scene()
    scene.says("checkout", severity=Severity.SEV4)
    scene.at(300)
    assert (scene.incident.noise, scene.incident.generation, scene.pages) == (False, 1, [])


def test_a_record_that_gets_worse_pages() -> None:
    scene = a_scene()
    scene.says("checkout", severity=Severity.SEV5)
    scene.at(60)
    scene.says("checkout", severity=Severity.SEV1)
    assert [at for at, _, purpose in scene.pages if purpose != "escalation"] == [60]
    assert not scene.incident.noise
