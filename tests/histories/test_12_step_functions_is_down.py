"""History 12: Step Functions is down: the page still leaves, executions start when it is back, nothing is lost."""

import pytest

from tests.histories.scene import ON_CALL, RESOLVED, Scene


def down() -> Scene:
    """It is down from the beginning; the alert comes at once."""
    scene = Scene()
    scene.world.machines.down = True
    scene.says("checkout")
    return scene


def test_the_page_leaves_all_the_same() -> None:
    scene = down()
    assert scene.pages == [(0, ON_CALL, "first")]
    assert scene.running() == []


@pytest.mark.parametrize("minutes", [1, 4, 30])
def test_the_execution_starts_when_it_is_back_and_nothing_is_doubled(minutes: int) -> None:
    scene = down()
    scene.at(60 * minutes)
    scene.world.machines.down = False
    scene.at(60 * minutes + 180)

    assert scene.running() == [f"{scene.incident.id}-{scene.incident.generation}"]
    assert scene.incident.state == "active"
    assert [page for page in scene.pages if page[2] == "first"] == [(0, ON_CALL, "first")]
    assert scene.incident.pages == len(scene.pages)


def test_what_was_said_meanwhile_is_taken_in_order() -> None:
    scene = down()
    scene.at(20)
    scene.says("checkout", RESOLVED)
    scene.at(40)
    scene.says("orders", title="slow", identity={"alert": "slow"})
    scene.at(600)
    scene.world.machines.down = False
    scene.at(900)

    said = [text for _, text, _ in scene.lines("signal")]
    assert said == ["generic says errors is firing", "generic says errors is resolved", "generic says slow is firing"]
    assert (scene.incident.service, scene.incident.state, len(scene.incident.firing)) == ("orders", "active", 1)


def test_an_incident_that_came_and_went_while_it_was_down_ends_and_its_page_is_closed() -> None:
    scene = down()
    scene.at(100)
    scene.says("checkout", RESOLVED)
    scene.at(600)
    scene.world.machines.down = False
    scene.at(1200)

    assert scene.incident.state == "resolved"
    assert (scene.pager.open, scene.running()) == ({}, [])
    assert "errors" in scene.draft()


def test_what_was_buried_meanwhile_changes_nothing_when_it_is_redriven() -> None:
    scene = down()
    scene.at(900)
    buried = len(scene.world.queue.dead)
    scene.world.machines.down = False
    scene.at(1100)
    before = scene.incident
    scene.world.queue.send([message.body for message in scene.world.queue.dead])
    scene.at(1110)

    assert buried == 1
    assert scene.incident == before
    assert len([page for page in scene.pages if page[2] == "first"]) == 1
