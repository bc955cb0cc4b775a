"""Does `publish` tell the bus what happened, archive every timeline entry, and notice one that was changed?"""

import json
from typing import Any

import pytest

from functions.closure.publish import publish
from incident_bot.aws.attributes import attributes
from incident_bot.domain.errors import Unavailable
from incident_bot.domain.incident import State
from incident_bot.state import incidents
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_world, an_incident

INCIDENT = an_incident(state=State.DETECTED)


def changed(pk: str, sk: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    """A stream record of one item's change."""
    key = {"PK": pk, "SK": sk}
    told: dict[str, Any] = {"SequenceNumber": "100", "Keys": attributes(key)}
    if before is not None:
        told["OldImage"] = attributes({**key, **before})
    if after is not None:
        told["NewImage"] = attributes({**key, **after})
    return {"Records": [{"eventID": "1", "dynamodb": told}]}


def an_item(world: VirtualWorld, **changes: Any) -> dict[str, Any]:
    _, writes = incidents.opening(world, INCIDENT, ())
    item = {**writes[0].item, **changes}  # type: ignore[union-attr]
    return {name: value for name, value in item.items() if name not in ("PK", "SK")}


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (None, {}, ["Incident Opened"]),
        (None, {"reopens": "inc0"}, ["Incident Opened", "Incident Reopened"]),
        ({"state": "detected"}, {"state": "triaged"}, ["Incident Triaged"]),
        ({"state": "active"}, {"state": "mitigated"}, ["Incident Mitigated"]),
        ({}, {"acknowledged_at": "2026-01-15T10:00:00.000000Z"}, ["Incident Acknowledged"]),
        ({"version": 3}, {"version": 4}, []),
    ],
)
def test_a_change_of_an_incident_is_the_domain_event_of_its_name(
    before: dict[str, Any] | None, after: dict[str, Any], events: list[str]
) -> None:
    world = a_world()
    old = None if before is None else an_item(world, **before)
    publish(world, changed(f"INC#{INCIDENT.id}", "META", old, an_item(world, **after)))
    assert [name for name, _ in world.bus.events] == events
    assert all(detail["id"] == INCIDENT.id and detail["severity"] == "sev2" for _, detail in world.bus.events)


def test_a_resolved_incident_is_measured() -> None:
    world = a_world()
    end = "2026-01-15T10:02:00.000000Z"
    before, after = an_item(world, state="mitigated"), an_item(world, state="resolved", resolved_at=end, pages=1)
    publish(world, changed("INC#inc1", "META", before, after))
    assert world.metrics.counts["SecondsToResolve"] == 120
    assert world.metrics.counts["PagesPerIncident"] == 1


@pytest.mark.parametrize(
    ("state", "event"),
    [("proposed", "Action Proposed"), ("applied", "Action Applied"), ("partial", "Action Failed"), ("running", None)],
)
def test_a_remediations_state_is_an_event_where_it_means_something_outside(state: str, event: str | None) -> None:
    world = a_world()
    publish(world, changed("INC#inc1", "ACTION#inc1-a1", None, {"id": "inc1-a1", "incident": "inc1", "state": state}))
    assert [name for name, _ in world.bus.events] == ([event] if event else [])


def test_a_page_that_left_is_an_event_once() -> None:
    world = a_world()
    sent = [{"to": "grace", "channel": "pagerduty", "reference": "r", "at": "2026-01-15T10:00:01.000000Z"}]
    page = {"incident": "inc1", "kind": "trigger", "purpose": "first", "severity": 2, "state": "sent", "sent": sent}
    publish(world, changed("INC#inc1", "INTENT#page-first", {**page, "state": "pending"}, page))
    publish(world, changed("INC#inc1", "INTENT#page-first", page, page))
    assert [name for name, _ in world.bus.events] == ["Incident Paged"]


def test_every_timeline_entry_is_archived_and_one_that_was_changed_is_told() -> None:
    world = a_world()
    publish(world, changed("LOG#inc1", "00000001", None, {"seq": 1, "text": "it fires"}))
    assert list(world.archive.objects) == ["timeline/inc1/00000001.json"]
    assert world.notices.published == []
    publish(world, changed("LOG#inc1", "00000001", {"seq": 1, "text": "it fires"}, {"seq": 1, "text": "nothing"}))
    assert world.metrics.counts["TimelineTampered"] == 1
    assert "inc1" in world.notices.published[0][1]


def a_batch_of_lines(*keys: tuple[str, str]) -> dict[str, Any]:
    records = [changed(pk, sk, None, {"text": sk})["Records"][0] for pk, sk in keys]
    for number, record in enumerate(records, 100):
        record["dynamodb"]["SequenceNumber"] = str(number)
    return {"Records": records}


def test_what_was_written_at_once_is_one_object_of_each_incident() -> None:
    world = a_world()
    publish(world, a_batch_of_lines(("LOG#inc1", "00000001"), ("LOG#inc2", "00000005"), ("LOG#inc1", "00000002")))
    assert set(world.archive.objects) == {"timeline/inc1/00000001-00000002.json", "timeline/inc2/00000005.json"}
    lines = world.archive.objects["timeline/inc1/00000001-00000002.json"].splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["00000001", "00000002"]


def test_a_timeline_that_could_not_be_archived_comes_again_from_its_first_entry_on() -> None:
    world = a_world()
    put = world.archive.put

    def down_for_inc2(key: str, body: bytes, content_type: str = "application/json") -> None:
        if "inc2" in key:
            raise Unavailable("S3 did not answer")
        put(key, body, content_type)

    world.archive.put = down_for_inc2  # type: ignore[method-assign]
    batch = a_batch_of_lines(("LOG#inc1", "00000001"), ("LOG#inc2", "00000005"), ("LOG#inc1", "00000002"))
    assert publish(world, batch) == {"batchItemFailures": [{"itemIdentifier": "101"}]}


def test_what_could_not_be_published_comes_again() -> None:
    world = a_world()

    def down(*_: object) -> None:
        raise Unavailable("the bus is down")

    world.bus.publish = down  # type: ignore[method-assign,assignment]
    batch = changed("INC#inc1", "META", None, an_item(world))
    assert publish(world, batch) == {"batchItemFailures": [{"itemIdentifier": "100"}]}
