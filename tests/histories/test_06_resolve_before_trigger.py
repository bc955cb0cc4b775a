"""History 6: a lone resolve leaves a tombstone; the older trigger joins it unpaged, a newer one pages."""

from tests.histories.scene import ON_CALL, RESOLVED, Scene


def overtaken() -> Scene:
    """The resolve of 20 s arrives, and nobody has heard of its trigger."""
    scene = Scene()
    scene.at(25)
    scene.says("checkout", RESOLVED, occurred=20)
    return scene


def test_a_lone_resolve_is_recorded_and_wakes_nobody() -> None:
    scene = overtaken()
    tombstone = scene.incident
    assert (tombstone.state, tombstone.noise, tombstone.generation) == ("resolved", True, 0)
    assert scene.pages == []
    why = "resolved without a trigger: a tombstone, in case the trigger is late"
    assert scene.lines("decision")[0][2] == f"tombstone: {why}"


def test_the_older_trigger_joins_the_tombstone_unpaged_however_late_it_is() -> None:
    scene = overtaken()
    scene.at(30)
    scene.says("checkout", occurred=10)
    scene.at(3600)
    scene.says("checkout", occurred=10)
    scene.at(3700)
    assert len(scene.incidents) == 1
    assert scene.pages == []
    assert scene.running() == []


def test_a_trigger_of_the_very_same_moment_is_over() -> None:
    scene = overtaken()
    scene.says("checkout", occurred=20)
    scene.at(100)
    assert scene.pages == []


def test_a_trigger_newer_than_the_tombstone_pages_and_is_no_reopening() -> None:
    scene = overtaken()
    scene.at(40)
    scene.says("checkout", occurred=40)
    _, opened = scene.incidents
    assert scene.pages == [(40, ON_CALL, "first")]
    assert (opened.state, opened.reopens) == ("active", "")
