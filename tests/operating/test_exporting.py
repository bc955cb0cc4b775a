"""Does an export hand out every recorded delivery of its time, page by page, and tell that it did?"""

import json
from datetime import timedelta

import pytest

from incident_bot.domain.errors import Invalid
from incident_bot.domain.timeline import flaws
from incident_bot.ingest.recording import Recorded, keep, text_of
from incident_bot.operating import views
from incident_bot.operating.exporting import PAGE_OBJECTS, Wanted, export
from incident_bot.state import controls
from incident_bot.virtual.clock import T0
from incident_bot.virtual.replay import recorded
from incident_bot.virtual.world import VirtualWorld
from tests.building import a_person, a_world

HOUR = timedelta(hours=1)
DAY = Wanted(T0, T0 + 24 * HOUR)


def a_world_with(*deliveries: Recorded) -> VirtualWorld:
    """A world where each delivery came at its time and is an object by itself."""
    world = a_world()
    for delivery in sorted(deliveries, key=lambda d: d.at):
        world.clock.advance_to(delivery.at)
        keep(world, [delivery])
    return world


def a_delivery(number: int, at: timedelta = timedelta(), body: str = "{}", source: str = "generic") -> Recorded:
    return Recorded(T0 + at, f"d{number}", source, body)


def exported(world: VirtualWorld, wanted: Wanted = DAY) -> tuple[list[str], int]:
    """The lines of all pages, and how many pages there were."""
    lines: list[str] = []
    cursor, pages = "", 0
    while cursor or not pages:
        found, cursor = export(world, a_person(), wanted, cursor)
        lines += found
        pages += 1
    return lines, pages


def test_it_holds_what_came_in_its_time_and_of_its_source() -> None:
    inside = [a_delivery(1), a_delivery(2, 23 * HOUR)]
    outside = [a_delivery(3, -timedelta(seconds=1)), a_delivery(4, 24 * HOUR), a_delivery(5, HOUR, source="grafana")]
    lines, _ = exported(a_world_with(*inside, *outside), Wanted(DAY.since, DAY.until, "generic"))
    assert lines == [delivery.line for delivery in inside]


def test_what_lay_in_the_queue_before_it_was_recorded_is_found_by_the_time_it_came() -> None:
    world = a_world()
    world.clock.advance_to(T0 + 5 * HOUR)
    keep(world, [a_delivery(1)])
    assert len(exported(world, Wanted(T0, T0 + HOUR))[0]) == 1


@pytest.mark.parametrize(("number", "body", "pages"), [(3, "x" * 900_000, 2), (2 * PAGE_OBJECTS + 1, "{}", 3)])
def test_pages_are_cut_by_size_and_by_objects_and_lose_nothing(number: int, body: str, pages: int) -> None:
    deliveries = [a_delivery(n, timedelta(seconds=n), body) for n in range(number)]
    assert exported(a_world_with(*deliveries)) == ([delivery.line for delivery in deliveries], pages)


def test_a_page_may_end_inside_an_object() -> None:
    world = a_world()
    deliveries = [a_delivery(n, body="y" * 700_000) for n in range(5)]
    keep(world, deliveries)
    assert exported(world) == ([delivery.line for delivery in deliveries], 3)


@pytest.mark.parametrize("body", [b"\xff\xfe" * 500_000, b"\x01" * 1_000_000, b'"\\' * 500_000])
def test_an_answer_is_smaller_than_lambda_allows_whatever_the_bytes_of_a_delivery_are(body: bytes) -> None:
    delivery = a_delivery(1, body=text_of(body))
    lines, _ = exported(a_world_with(delivery))
    assert len(json.dumps({"lines": lines})) < 6_000_000
    assert [recorded(line, 1, T0) for line in lines] == [delivery]


def test_each_page_is_on_the_trail_of_the_controls_which_stay_as_they_are() -> None:
    world = a_world_with(a_delivery(1))
    export(world, a_person(), DAY, "")
    controls.set_kill_switch(world, "grace", on=False, reason="ready")
    export(world, a_person(), DAY, "")
    trail = views.trail(world, controls.TRAIL)
    assert [(e["actor"], e["text"]) for e in trail.entries] == [
        ("ada", "1 recorded deliveries exported"),
        ("grace", "kill switch off"),
        ("ada", "1 recorded deliveries exported"),
    ]
    assert flaws(trail.entries, trail.seq, trail.head) == []
    switch = controls.switch(world.store)
    assert (switch.on, switch.by, switch.reason) == (False, "grace", "ready")


def test_a_switch_that_nobody_configured_stays_so() -> None:
    world = a_world()
    before = controls.switch(world.store)
    export(world, a_person(), DAY, "")
    after = controls.switch(world.store)
    assert (after.on, after.reason, after.at) == (before.on, before.reason, before.at)


@pytest.mark.parametrize("cursor", ["x", "0@", "0@../archive", "1@quarantine/2026-01-15/d1", "-1@deliveries/x"])
def test_a_cursor_that_was_never_given_out_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        export(a_world(), a_person(), DAY, cursor)


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Invalid, match="since"):
        Wanted(T0, T0)
