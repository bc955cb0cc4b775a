"""Is what could not be read kept, with its reason, once?"""

from dataclasses import replace
from typing import Any

import pytest

from incident_bot.domain.errors import Unavailable
from incident_bot.ingest import quarantine
from incident_bot.sources import Rejection
from incident_bot.virtual.surroundings import MemoryArchive
from tests.building import a_world

BAD = Rejection(0, "startsAt", "startsAt is missing")
BODY = b"<script>alert(1)</script>"


class NoArchive(MemoryArchive):
    """An archive that is down."""

    def put(self, *_: Any, **__: Any) -> None:
        raise Unavailable("S3 did not answer")


def test_the_body_is_archived_as_it_came_and_as_nothing_that_a_browser_renders() -> None:
    world = a_world()

    quarantine.keep(world, source="generic", delivery="d-1", body=BODY, rejected=(BAD,))

    (found,) = quarantine.listed(world)
    assert world.archive.objects == {found.body: BODY}
    assert world.archive.types == {found.body: "application/octet-stream"}


def test_the_item_says_which_delivery_of_whom_when_and_why() -> None:
    world = a_world()
    other = Rejection(3, "labels", "labels is empty")

    quarantine.keep(world, source="alertmanager", delivery="d-1", body=BODY, rejected=(BAD, other))

    (found,) = quarantine.listed(world)
    assert (found.delivery_id, found.source, found.at, found.reason) == (
        "d-1",
        "alertmanager",
        "2026-01-15T10:00:00.000000Z",
        "startsAt is missing (and 1 more)",
    )


def test_the_same_delivery_again_is_still_one() -> None:
    world = a_world()

    for _ in range(2):
        quarantine.keep(world, source="generic", delivery="d-1", body=BODY, rejected=(BAD,))

    assert len(quarantine.listed(world)) == 1


def test_people_are_alarmed_as_nobody_is_paged_for_it() -> None:
    world = a_world()

    quarantine.keep(world, source="generic", delivery="d-1", body=BODY, rejected=(BAD,))

    assert ("Untold", 1, {}) in world.metrics.points, "the alarm watches it without dimensions"


def test_newest_come_first_and_old_days_are_left_out() -> None:
    world = a_world()
    for name in ("old", "yesterday", "today"):
        quarantine.keep(world, source="generic", delivery=name, body=BODY, rejected=(BAD,))
        world.clock.advance(24 * 3600)

    assert [found.delivery_id for found in quarantine.listed(world, days=3)] == ["today", "yesterday"]


@pytest.mark.parametrize("delivery", ["../../etc/passwd", "a b", "", "x" * 129, "\ud800", "\u202eevil"])
def test_an_id_that_is_not_plain_stands_in_no_key(delivery: str) -> None:
    world = a_world()

    quarantine.keep(world, source="generic", delivery=delivery, body=BODY, rejected=(BAD,))

    (found,) = quarantine.listed(world)
    assert quarantine.PLAIN.fullmatch(found.delivery_id)
    assert found.body == f"quarantine/2026-01-15/{found.delivery_id}"


def test_the_item_does_not_grow_with_what_is_rejected() -> None:
    world = a_world()
    many = tuple(Rejection(i, "labels", "x" * 5000) for i in range(5000))

    quarantine.keep(world, source="generic", delivery="d", body=BODY, rejected=many)

    (item,) = world.store.query("QUARANTINE#2026-01-15")
    assert len(str(item)) < 150_000


def test_what_the_archive_does_not_take_is_not_said_to_be_kept() -> None:
    world = a_world()

    with pytest.raises(Unavailable):
        quarantine.keep(replace(world, archive=NoArchive()), source="generic", delivery="d", body=BODY, rejected=(BAD,))

    assert quarantine.listed(world) == []
