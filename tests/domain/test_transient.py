"""How long does a page wait for an alert that may clear by itself - and never longer for one that comes and goes?"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import classify
from incident_bot.domain.opening import Observation
from incident_bot.domain.series import FLIPS_KEPT, Series, after
from incident_bot.domain.team import Rule, Timing
from incident_bot.domain.transient import agrees, steadied
from tests.building import a_team
from tests.deciding import Scope, later, says

HOLD = 45
RULE = Rule("flaky", "payments", date(2027, 1, 1), {"title": "flaky*"}, hold_seconds=HOLD)
TEAM = a_team(rules=(RULE,))
SEV1, SEV2 = Severity.SEV1, Severity.SEV2


def fired(*at: float, severity: Severity = SEV2) -> Series | None:
    """The series after it fired, and cleared a second later, at those moments."""
    known = None
    for moment in at:
        for status, when in ((Status.FIRING, moment), (Status.RESOLVED, moment + 1)):
            alert = says("flaky", status, when, severity=severity)
            found = classify(alert, TEAM)
            known = after(known, alert, found, group="g", incident="inc1", delivery="d", now=later(when))
    return known


def hold(known: Series | None, at: float, severity: Severity = SEV2) -> int:
    alert = says("flaky", at=at, severity=severity)
    return steadied(Observation(alert, classify(alert, TEAM), "d"), known).found.hold_seconds


HOLDS = [
    ("it was never seen", fired(), 0, SEV2, 45),
    ("it fired once, long ago", fired(0), 600, SEV2, 45),
    ("it fired a moment ago: that counts", fired(0), 20, SEV2, 25),
    ("it has come and gone for as long as the hold", fired(0, 20, 40), 45, SEV2, 0),
    ("longer than the hold", fired(0, 20, 40), 60, SEV2, 0),
    ("near, but with a pause before", fired(0, 600), 620, SEV2, 25),
    ("so fast that nobody knows since when", fired(0, 5, 10, 15, 20, 25), 30, SEV2, 0),
    ("it flaps slowly, and is not critical", fired(0, 300), 600, SEV2, 45),
    ("critical, and it fires a second time", fired(0, severity=SEV1), 300, SEV1, 45),
    ("critical, and it flaps", fired(0, 300, severity=SEV1), 600, SEV1, 0),
    ("critical, and it fired twice, hours ago", fired(0, 300, severity=SEV1), 9000, SEV1, 45),
    ("its clock was set back", fired(100), 50, SEV2, 45),
]


@pytest.mark.parametrize(
    ("known", "at", "severity", "seconds"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS]
)
def test_how_long_its_page_waits(known: Series | None, at: float, severity: Severity, seconds: int) -> None:
    assert hold(known, at, severity) == seconds


def test_the_reason_says_what_counted() -> None:
    alert = says("flaky", at=20)
    steady = steadied(Observation(alert, classify(alert, TEAM), "d"), fired(0))
    assert steady.found.reason.endswith("its page waits 25 s more: it has come and gone for 20 s, which counts")


@given(gaps=st.lists(st.integers(2, 90), min_size=1, max_size=12))
def test_coming_and_going_never_holds_a_page_for_longer_than_the_hold_and_one_pause(gaps: list[int]) -> None:
    """However it flaps, with no pause longer than two holds it pages by its next firing after the hold at the latest,
    or by its seventh."""
    moments = [float(sum(gaps[:n])) for n in range(len(gaps) + 1)]
    at, before = moments[-1], moments[:-1]
    waits_until = at + hold(fired(*before), at)
    assert waits_until <= max(HOLD, at)
    assert waits_until == at or len(before) < FLIPS_KEPT


def test_a_second_signal_ends_the_hold_of_a_critical_candidate_though_it_would_be_held_itself() -> None:
    scope = Scope(TEAM)
    scope.take(says("flaky disk", severity=SEV1))
    assert scope.incidents["inc1"].generation == 0
    assert scope.take(says("flaky queue", at=5, severity=SEV1), at=5).promoted == ("inc1",)
    assert scope.settled["inc1"].page == "now"
    assert scope.settled["inc1"].not_before is None


def test_the_same_series_again_is_no_second_signal() -> None:
    scope = Scope(TEAM)
    scope.take(says("flaky disk", severity=SEV1))
    assert scope.take(says("flaky disk", at=5, severity=SEV1), at=5).promoted == ()


def test_of_what_is_not_critical_another_held_alert_ends_no_hold() -> None:
    scope = Scope(TEAM)
    scope.take(says("flaky disk", severity=SEV2))
    assert scope.take(says("flaky queue", at=5, severity=SEV2), at=5).promoted == ()


@pytest.mark.parametrize(("grace", "seconds"), [(0, None), (10, 15), (60, 45)])
def test_once_it_agrees_the_page_waits_for_the_grace_at_most_and_never_longer_than_before(
    grace: int, seconds: float | None
) -> None:
    scope = Scope(replace(TEAM, timing=Timing(agreed_grace=grace)))
    scope.take(says("flaky", severity=SEV1))
    scope.take(says("errors", at=5, severity=SEV1), at=5)
    settled = scope.settled["inc1"]
    assert settled.page == "now"
    assert settled.not_before == (later(seconds) if seconds is not None else None)
    assert settled.incident.clocks.get("hold") == settled.not_before


@pytest.mark.parametrize(
    ("severity", "second", "ends"), [(SEV1, True, True), (SEV1, False, False), (SEV2, True, False)]
)
def test_who_agrees(severity: Severity, second: bool, ends: bool) -> None:
    assert agrees(severity, second=second) == ends
