"""What is a message to what is known of its series: by the source's own time, whatever the order of arrival?"""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.classify import classify
from incident_bot.domain.series import FLIPS_KEPT, News, Series, after, heard, news
from tests.building import a_team
from tests.deciding import later, says

F, R, U = Status.FIRING, Status.RESOLVED, Status.UNKNOWN
SEV1, SEV2, SEV3 = Severity.SEV1, Severity.SEV2, Severity.SEV3


def take(known: Series | None, alert: Alert, severity: Severity = SEV2) -> Series | None:
    """The series after the alert, as admission treats it."""
    kind, _ = news(known, alert, severity)
    if kind in (News.FIRST, News.CHANGE, News.WORSE):
        found = replace(classify(alert, a_team()), severity=severity)
        return after(known, alert, found, group="g", incident="inc1", delivery="d1", now=later(0))
    return heard(known, alert, later(0)) if known and kind is News.REPEAT else known


def known(status: Status, at: float, severity: Severity = SEV2) -> Series:
    series = take(None, says(status=status, at=at), severity)
    assert series
    return series


ROWS = [
    ("nothing was known", None, says(), SEV2, News.FIRST, "a series not seen before"),
    ("it fires", known(R, 0), says(at=1), SEV2, News.CHANGE, "resolved before, firing now"),
    ("it resolves", known(F, 0), says(status=R, at=1), SEV2, News.CHANGE, "firing before, resolved now"),
    ("said again", known(F, 0), says(at=0), SEV2, News.REPEAT, "firing already"),
    ("said again, of later", known(F, 0), says(at=9), SEV2, News.REPEAT, "firing already"),
    ("a late resolve", known(F, 9), says(status=R, at=1), SEV2, News.LATE, "older than the firing of 10:00:09"),
    ("a late trigger", known(R, 9), says(at=1), SEV2, News.LATE, "older than the resolved of 10:00:09"),
    ("both at once: it resolved", known(F, 0), says(status=R, at=0), SEV2, News.CHANGE, "firing before, resolved now"),
    (
        "both at once, other order",
        known(R, 0),
        says(at=0),
        SEV2,
        News.LATE,
        "resolved at the very time it says it fired",
    ),
    ("it got worse", known(F, 0), says(at=0), SEV1, News.WORSE, "firing already, sev2 before, sev1 now"),
    ("it got better", known(F, 0), says(at=5), SEV3, News.REPEAT, "firing already"),
    ("worse, but long ago", known(F, 9), says(at=1), SEV1, News.LATE, "older than the firing of 10:00:09"),
    ("resolved, and worse", known(R, 0), says(status=R, at=1), SEV1, News.REPEAT, "resolved already"),
    ("no data", known(F, 0), says(status=U, at=1), SEV2, News.NEITHER, "no data is neither firing nor resolved"),
    (
        "firing after no data",
        known(U, 5),
        says(at=9),
        SEV2,
        News.CHANGE,
        "nothing was known but",
    ),
    (
        "firing before no data",
        known(U, 5),
        says(at=1),
        SEV2,
        News.CHANGE,
        "nothing was known but",
    ),
    ("no data again", known(U, 5), says(status=U, at=9), SEV2, News.NEITHER, "no data is neither firing nor resolved"),
]


@pytest.mark.parametrize(("known", "alert", "severity", "kind", "why"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_news(known: Series | None, alert: Alert, severity: Severity, kind: News, why: str) -> None:
    found, reason = news(known, alert, severity)
    assert (found, reason[: len(why)]) == (kind, why)


MESSAGES = st.lists(st.tuples(st.sampled_from([F, R, U]), st.integers(0, 5)), min_size=1, max_size=8)


@given(messages=MESSAGES, data=st.data())
def test_the_state_is_the_last_word_by_source_time_in_any_order_and_multiplicity(
    messages: list[tuple[Status, int]], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(messages), max_size=4))
    series = None
    for status, at in data.draw(st.permutations([*messages, *again])):
        series = take(series, says(status=status, at=at))
    assert series
    told = [(at, status is R, status) for status, at in messages if status is not U]
    assert series.status is (max(told)[2] if told else U)


@given(messages=MESSAGES)
def test_source_time_never_goes_back(messages: list[tuple[Status, int]]) -> None:
    steps: list[Series | None] = [None]
    for status, at in messages:
        steps.append(take(steps[-1], says(status=status, at=at)))
    for before, now in pairwise(steps):
        if before and now and before.status is not U:
            assert now.occurred_at >= before.occurred_at


def flapped(*firings: float) -> Series:
    series = None
    for at in firings:
        series = take(take(series, says(at=at)), says(status=R, at=at + 1))
    assert series
    return series


def test_a_rhythm_needs_three_firings_and_is_the_longest_gap() -> None:
    assert flapped(0, 60).rhythm == 0
    assert flapped(0, 60, 200).rhythm == 140


def test_firings_of_more_than_an_hour_ago_make_no_rhythm() -> None:
    assert flapped(0, 60, 120, 4000).rhythm == 0


def test_the_pause_is_the_last_gap() -> None:
    assert [flapped(*at).pause for at in ((0,), (0, 60), (0, 60, 200), (0, 4000))] == [0, 60, 140, 0]


def test_only_the_last_firings_are_kept() -> None:
    assert len(flapped(*range(0, 600, 30)).flips) == FLIPS_KEPT


def test_getting_worse_is_no_firing_more() -> None:
    series = take(take(take(known(F, 0), says(at=1), SEV1), says(status=R, at=2)), says(at=3))
    assert series
    assert series.flips == (later(0), later(3))
    assert take(known(F, 0), says(at=1), SEV1).severity is SEV1  # type: ignore[union-attr]


def test_what_was_decided_is_remembered() -> None:
    series = take(None, says(severity=SEV3), SEV1)
    assert series
    assert series.severity is SEV1
