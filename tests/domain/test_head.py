"""Does a head stay small, forget the oldest first, and never name an incident that no group leads to?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity
from incident_bot.domain.head import GROUPS_KEPT, Group, Head, Member, placed, without
from tests.deciding import later


def grown(*groups: tuple[str, str, float]) -> Head:
    """A head with (group, incident, seconds) placed one after another."""
    head = Head()
    for name, incident, at in groups:
        member = Member("checkout", later(0), Severity.SEV2)
        head = placed(head, name, Group(incident, name.split("/")[0], later(at), later(at), later(at)), member)
    return head


def test_it_knows_the_groups_and_services_of_an_incident() -> None:
    head = grown(("a/1", "inc1", 0), ("b/1", "inc1", 1), ("c/1", "inc2", 2))
    assert head.of("inc1") == ["a/1", "b/1"]
    assert head.services("inc1") == {"a", "b"}
    assert head.services("inc3") == set()


def test_a_closed_incident_leaves_with_its_groups_and_nothing_else_does() -> None:
    head = without(grown(("a/1", "inc1", 0), ("b/1", "inc1", 1), ("c/1", "inc2", 2)), "inc1")
    assert (list(head.groups), list(head.incidents)) == (["c/1"], ["inc2"])


def test_a_full_head_closes_its_oldest_groups_and_incidents_without_any() -> None:
    head = grown(*((f"s/{n}", f"inc{n}", n) for n in range(GROUPS_KEPT)), ("s/new", "new", GROUPS_KEPT))
    assert "s/0" not in head.groups
    assert "inc0" not in head.incidents
    assert "new" in head.incidents


def test_the_group_that_is_placed_stays_even_where_it_is_the_oldest() -> None:
    head = grown(*((f"s/{n}", "inc1", n + 10) for n in range(GROUPS_KEPT)), ("s/new", "new", 0))
    assert "s/new" in head.groups


@given(
    st.lists(
        st.tuples(st.integers(0, 2 * GROUPS_KEPT).map(lambda n: f"s/{n}"), st.sampled_from("abc"), st.integers(0, 9)),
        max_size=3 * GROUPS_KEPT,
    )
)
def test_it_never_outgrows_its_item_and_every_group_leads_to_an_incident_it_knows(
    groups: list[tuple[str, str, int]],
) -> None:
    head = grown(*groups)
    assert len(head.groups) <= GROUPS_KEPT
    assert {group.incident for group in head.groups.values()} <= set(head.incidents)


def test_what_was_learned_of_senders_and_kinds_stays_whatever_is_placed() -> None:
    head = Head(senders={"generic/pay": 60}, kinds={"generic:*": (3, 1)})
    group = Group("inc1", "pay", later(0), later(0), later(0))
    after = placed(head, "pay@1", group, Member("pay", later(0), Severity.SEV2))
    assert (after.senders, after.kinds) == (head.senders, head.kinds)


@pytest.mark.parametrize(
    ("series", "places", "place"),
    [
        (2, {"az=1": 2}, ""),
        (3, {"az=1": 3}, "az=1"),
        (5, {"az=1": 4, "az=2": 1}, "az=1"),
        (5, {"az=1": 3, "az=2": 2}, ""),
        (5, {"az=1": 3}, ""),
        (9, {}, ""),
    ],
    ids=["too few to tell", "all", "nearly all", "spread", "some have no place", "none has one"],
)
def test_the_place_that_a_group_shares(series: int, places: dict[str, int], place: str) -> None:
    assert Group("i", "pay", later(0), later(0), later(0), series=series, places=places).place == place
