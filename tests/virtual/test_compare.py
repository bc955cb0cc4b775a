"""Are two replays compared page by page, by the deliveries that the pages are about?"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity
from incident_bot.virtual.compare import compare
from incident_bot.virtual.replay import Page, Replay
from tests.building import an_incident

DELIVERIES = "abcdef"


def a_page(*deliveries: str, t: float = 0.0, **changes: Any) -> Page:
    """Ada is paged about those deliveries."""
    usual = {"to": "Ada", "incident": f"inc-{deliveries[0]}", "team": "payments", "purpose": "first", "reason": ""}
    return Page(t=t, delivery_ids=deliveries, severity=Severity.SEV2, **{**usual, **changes})


def a_replay(*pages: Page) -> Replay:
    """Each delivery belongs to the incident of the last page about it, or is quarantined."""
    ends = {delivery: page.incident for page in pages for delivery in page.delivery_ids}
    assign = [{"delivery_id": d, "incident": ends.get(d), "reason": "unread"} for d in DELIVERIES]
    incidents = [an_incident(id=identifier) for identifier in dict.fromkeys(p.incident for p in pages)]
    return Replay(tuple(assign), pages, tuple(incidents))


def test_a_page_about_more_by_then_is_still_the_same_page() -> None:
    found = compare(a_replay(a_page("a")), a_replay(a_page("a", "b", "c", incident="x")))
    assert (found.more, found.less) == ((), ())


def test_the_first_page_is_the_same_as_the_first_and_not_as_a_later_one_about_as_much() -> None:
    first, worse = a_page("a"), a_page("a", "b", t=60, purpose="worsened", incident="inc-a")
    found = compare(a_replay(first, worse), a_replay(a_page("a", "b", t=45)))
    assert [lone.page for lone in found.less] == [worse]
    assert [pair.later for pair in found.shifted] == [45.0]


def test_of_two_faults_that_become_one_the_page_with_more_in_common_is_kept() -> None:
    small, large = a_page("a"), a_page("b", "c", "d")
    found = compare(a_replay(small, large), a_replay(a_page("a", "b", "c", "d", incident="x")))
    assert [lone.page for lone in found.less] == [small]


def test_pages_about_nothing_in_common_are_two_pages() -> None:
    found = compare(a_replay(a_page("a")), a_replay(a_page("b")))
    assert [lone.page.delivery_ids for lone in (*found.less, *found.more)] == [("a",), ("b",)]
    assert found.less[0].instead == "quarantined: unread"


PAGES = st.builds(
    lambda deliveries, t, purpose: a_page(*sorted(deliveries), t=t, purpose=purpose),
    st.sets(st.sampled_from(DELIVERIES), min_size=1),
    st.floats(0, 1000),
    st.sampled_from(["first", "worsened"]),
)
REPLAYS = st.lists(PAGES, max_size=5).map(lambda pages: a_replay(*pages))


@given(REPLAYS, REPLAYS)
def test_every_page_is_counted_once_whichever_side_it_is_seen_from(one: Replay, two: Replay) -> None:
    there, back = compare(one, two), compare(two, one)
    assert len(two.paged) - len(one.paged) == len(there.more) - len(there.less)
    assert (len(there.more), len(there.less)) == (len(back.less), len(back.more))
    assert sum(now - was for was, now in there.teams.values()) == len(two.paged) - len(one.paged)


@given(REPLAYS)
def test_what_is_compared_with_itself_does_not_differ(replay: Replay) -> None:
    assert compare(replay, replay).nothing
