"""What does a window suppress, until when, and whom would it have woken - and does it fail towards telling people?"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import Classification, classify
from incident_bot.domain.errors import Invalid
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.planned import Maintenance
from incident_bot.domain.series import Series, after
from incident_bot.domain.suppress import (
    Suppressed,
    Suppression,
    Window,
    bounded,
    checked,
    figures,
    outcome,
    planned,
    suppress,
)
from tests.building import a_service, a_team, an_alert, an_incident
from tests.deciding import later, says

TEAM = a_team()
ALERT = an_alert(labels={"az": "a"}, severity=Severity.SEV2)


def a_silence(**changes: Any) -> Window:
    """Of everything of `checkout`, from T0 for ten minutes, by ada."""
    window = Window("silence-1", "silence", "silence-1", {"service": "checkout"}, later(0), later(600), "ada", "deploy")
    return replace(window, **changes)


def under(*windows: Window, at: float = 60, **changes: Any) -> tuple[Classification, Suppression | None]:
    alert = replace(ALERT, **changes)
    return suppress(alert, classify(alert, TEAM), windows, TEAM, later(at))


FITS = [
    ("the service", {"service": "checkout"}, True),
    ("a pattern", {"service": "check*"}, True),
    ("another service", {"service": "orders"}, False),
    ("a label", {"labels.az": "a"}, True),
    ("all of several", {"service": "checkout", "labels.az": "a"}, True),
    ("not all of several", {"service": "checkout", "labels.az": "b"}, False),
    ("a label that it has not", {"labels.zone": "*"}, False),
    ("the severity that was decided", {"severity": "sev2"}, True),
    ("no matcher at all", {}, False),
    ("a matcher that fails", {"service": 7}, False),
    ("a pattern that is no pattern", {"title": None}, False),
]


@pytest.mark.parametrize(("when", "fits"), [row[1:] for row in FITS], ids=[row[0] for row in FITS])
def test_what_fits_is_suppressed_and_what_errs_suppresses_nothing(when: Any, fits: bool) -> None:
    found, suppression = under(a_silence(when=when))
    assert bool(suppression) == fits
    assert (found.noise, found.pages) == (fits, not fits)


@pytest.mark.parametrize(
    ("at", "holds"), [(-1, False), (0, True), (599.9, True), (600, False)], ids=["before", "start", "in it", "its end"]
)
def test_it_holds_from_its_start_until_before_its_end(at: float, holds: bool) -> None:
    assert bool(under(a_silence(), at=at)[1]) == holds


def test_the_reason_names_the_window_its_end_and_whom_it_would_have_paged() -> None:
    found, suppression = under(a_silence())
    assert suppression is not None
    assert suppression.said == "not paged until 2026-01-15 10:10:00 UTC: rota:payments would have been"
    assert found.reason == f"sev2; {suppression.said}, by silence-1"
    assert (suppression.pages, suppression.whom) == (True, "rota:payments")


def test_what_wakes_nobody_by_itself_says_so() -> None:
    _, suppression = under(a_silence(), severity=Severity.SEV4)
    assert suppression is not None
    assert not suppression.pages
    assert suppression.said.endswith("it wakes nobody by itself")


def test_of_several_windows_the_one_that_lasts_longest_counts() -> None:
    longer = a_silence(id="silence-2", ends=later(900))
    for order in ((a_silence(), longer), (longer, a_silence())):
        _, suppression = under(*order)
        assert suppression is not None
        assert suppression.window == longer


def test_a_broken_window_does_not_keep_another_from_holding() -> None:
    broken: Any = {"service": object()}
    assert under(a_silence(when=broken, ends=later(9000)), a_silence())[1] is not None


def test_state_is_never_suppressed() -> None:
    found, suppression = under(a_silence(), status=Status.RESOLVED)
    assert suppression is None
    assert found == classify(replace(ALERT, status=Status.RESOLVED), TEAM)


@given(
    severity=st.sampled_from(Severity),
    at=st.integers(-100, 1000),
    when=st.dictionaries(st.sampled_from(["service", "title", "labels.az", "none"]), st.text(max_size=5), max_size=3),
)
def test_suppressing_changes_whether_it_is_told_and_nothing_else(severity: Severity, at: int, when: Any) -> None:
    alert = replace(ALERT, severity=severity)
    before = classify(alert, TEAM)
    found, suppression = suppress(alert, before, [a_silence(when=when)], TEAM, later(at))
    if suppression is None:
        assert found == before
    else:
        assert replace(found, noise=before.noise, pages=before.pages, reason=before.reason) == before
        assert suppression.pages == before.pages


# -- planned maintenance -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "under_way"), [(-1, False), (0, True), (599, True), (600, False)])
def test_planned_work_is_a_window_while_it_lasts(at: float, under_way: bool) -> None:
    team = a_team(maintenance=(Maintenance("db upgrade", later(0), later(600), {"service": "db"}),))
    found = planned(team, later(at))
    assert [w.id for w in found] == (["maintenance-db-upgrade-20260115T1000Z"] if under_way else [])


# -- what a person may ask for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", [{}, {"service": "*"}, {"title": "**", "service": "*"}], ids=["none", "star", "stars"])
def test_a_silence_of_everything_is_refused(when: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="everything"):
        checked(when)


@pytest.mark.parametrize("name", ["servce", "labels", "labels.", "alertname"])
def test_a_matcher_that_no_alert_can_fit_is_refused_by_name(name: str) -> None:
    with pytest.raises(Invalid, match=name):
        checked({name: "x"})


TIMES = [
    ("two hours from now", 0, 7200, True),
    ("30 days", 0, 30 * 86400, True),
    ("longer than 30 days", 0, 30 * 86400 + 1, False),
    ("it begins tomorrow", 86400, 90000, True),
    ("it begins too late", 31 * 86400, 31 * 86400 + 60, False),
    ("it ends before it begins", 60, 30, False),
    ("it is over already", -600, -60, False),
    ("it has begun, and ends", -600, 60, True),
]


@pytest.mark.parametrize(("starts", "ends", "allowed"), [row[1:] for row in TIMES], ids=[row[0] for row in TIMES])
def test_how_long_a_silence_may_last(starts: float, ends: float, allowed: bool) -> None:
    if allowed:
        bounded(later(starts), later(ends), later(0))
        return
    with pytest.raises(Invalid, match="ends"):
        bounded(later(starts), later(ends), later(0))


# -- when it ends ------------------------------------------------------------------------------------------------------


def a_series(status: Status = Status.FIRING) -> Series:
    alert = says(status=status)
    found = classify(alert, TEAM)
    return after(None, alert, found, group="g", incident="inc1", delivery="d1", now=later(0))


ENDS = [
    ("it still fires", a_series(), an_incident(), "fires"),
    ("its source says it resolved", a_series(Status.RESOLVED), an_incident(), "resolved"),
    ("nothing is known of it any more", None, None, "resolved"),
    ("a person closed it", a_series(), an_incident(state=State.RESOLVED), "closed"),
    ("it was merged, and fires", a_series(), an_incident(state=State.RESOLVED, merged_into="inc2"), "fires"),
    ("its incident is gone", a_series(), None, "fires"),
]


@pytest.mark.parametrize(("series", "incident", "how"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_how_it_stands_at_the_end(series: Series | None, incident: Incident | None, how: str) -> None:
    assert outcome(series, incident) == how


def a_line(incident: str = "inc1", *, pages: bool = True, outcome: str = "") -> Suppressed:
    return Suppressed(
        window="silence-1",
        scope="production",
        fingerprint=incident,
        incident=incident,
        service="checkout",
        title="errors",
        severity="sev2",
        pages=pages,
        whom="rota:payments",
        at=later(0),
        until=later(600),
        alert=ALERT,
        outcome=outcome,
    )


FIGURES = [
    ("nothing was suppressed", [], (0, 0, 0)),
    ("it resolved meanwhile", [a_line(outcome="resolved")], (1, 1, 0)),
    ("it still fired", [a_line(outcome="fires")], (1, 1, 1)),
    ("it still fired and would have woken nobody", [a_line(pages=False, outcome="fires")], (1, 0, 0)),
    ("it resolved, and somebody says that it mattered", [a_line("inc2", outcome="resolved")], (1, 1, 1)),
    ("a person closed it", [a_line(outcome="closed")], (1, 1, 0)),
    ("it is not over yet", [a_line()], (1, 1, 0)),
]


@pytest.mark.parametrize(("lines", "numbers"), [row[1:] for row in FIGURES], ids=[row[0] for row in FIGURES])
def test_missed_signals_are_what_would_have_paged_and_was_real(lines: list[Suppressed], numbers: Any) -> None:
    found = figures(lines, {"inc2"})
    assert (found.suppressed, found.would_have_paged, found.missed) == numbers


def test_whom_it_would_have_paged_is_the_owners_first_step_or_the_default_teams() -> None:
    team = a_team(services={"checkout": a_service(owner="nobody-configured")})
    _, suppression = suppress(ALERT, classify(ALERT, team), [a_silence()], team, later(60))
    assert suppression is not None
    assert suppression.whom == "rota:payments"
