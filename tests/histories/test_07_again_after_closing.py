"""History 7: what fires after the close is a new incident that pages as any; soon after, it says which it reopens."""

from functions.closure.publish import publish
from incident_bot.aws.attributes import attributes
from tests.histories.scene import ON_CALL, RESOLVED, Scene


def closed() -> Scene:
    """It fired at 0 s and was resolved at its source at 100 s: closed at 160 s."""
    scene = Scene()
    scene.says("checkout")
    scene.at(100)
    scene.says("checkout", RESOLVED)
    scene.at(200)
    assert scene.states()[-1] == (160, "resolved")
    return scene


def test_inside_the_reopen_window_it_is_linked_and_counted() -> None:
    scene = closed()
    scene.at(160 + 1790)
    scene.says("checkout")
    first, second = scene.incidents
    assert second.reopens == first.id
    assert scene.pages == [(0, ON_CALL, "first"), (1950, ON_CALL, "first")]
    why = "reopened: the same series fired again inside the reopen window"
    assert (1950, f"reopens {first.id}", why) in scene.lines("note", second)


def test_the_reopening_is_a_domain_event_and_a_measured_one() -> None:
    scene = closed()
    scene.at(400)
    scene.says("checkout")
    item = scene.world.store.get((f"INC#{scene.incidents[1].id}", "META"))
    assert item is not None
    image = {"SequenceNumber": "1", "Keys": attributes({"PK": item["PK"], "SK": item["SK"]})}
    publish(scene.world, {"Records": [{"eventID": "1", "dynamodb": {**image, "NewImage": attributes(item)}}]})

    told = [(name, detail["reopens"]) for name, detail in scene.world.bus.events if name == "Incident Reopened"]
    assert told == [("Incident Reopened", scene.incidents[0].id)]
    assert scene.world.metrics.counts["IncidentsReopened"] == 1


def test_three_hours_later_it_is_an_incident_of_its_own() -> None:
    scene = closed()
    scene.at(160 + 3 * 3600)
    scene.says("checkout")
    assert scene.incidents[1].reopens == ""
    assert scene.pages[1:] == [(160 + 3 * 3600, ON_CALL, "first")]


def test_a_late_resend_of_what_is_over_opens_nothing() -> None:
    scene = closed()
    scene.at(300)
    scene.says("checkout", occurred=0)
    scene.at(400)
    assert len(scene.incidents) == 1


def test_a_flapping_series_never_closes_between_its_flaps() -> None:
    scene = Scene()
    for flap in range(8):
        scene.at(200 * flap)
        scene.says("checkout")
        scene.acknowledged("ada") if flap == 0 else None
        scene.at(200 * flap + 20)
        scene.says("checkout", RESOLVED)
    while_flapping = [incident.id for incident in scene.incidents]
    scene.at(200 * 8 + 400)

    # What opens again not long after it closed has a rhythm: it is linked, and from then on one incident stays open.
    assert len(while_flapping) == 2
    flapping = scene.incidents[-1]
    assert scene.states(flapping)[-1][1] == "resolved"
    assert [state for _, state in scene.states(flapping)].count("resolved") == 1
    assert any(
        "flapping: it closes after 300 s without news" in text for _, text, _ in scene.lines("decision", flapping)
    )
