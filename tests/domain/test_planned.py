"""When is recurring maintenance under way, by a local calendar that is set back, set forward, and has short months?"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.clock import instant
from incident_bot.domain.planned import LONGEST, WEEKDAYS, Recurring, occurrences
from incident_bot.domain.suppress import planned
from tests.building import a_team

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def work(**changes: Any) -> Recurring:
    """Every Tuesday at 22:00 in Berlin, for two hours."""
    usual = Recurring("patching", "platform", date(2027, 1, 1), {"service": "db"}, BERLIN, time(22), 120, ("tuesday",))
    return replace(usual, **changes)


def under_way(recurring: Recurring, at: str) -> list[str]:
    """The windows at that moment, as `start/end` in UTC."""
    return [f"{s:%d.%m. %H:%M}/{e:%d.%m. %H:%M}" for s, e in occurrences(recurring, instant(at))]


WEEKLY = [
    ("in winter it is an hour off", "2026-01-13T21:00:00Z", ["13.01. 21:00/13.01. 23:00"]),
    ("just before it", "2026-01-13T20:59:59Z", []),
    ("just before its end", "2026-01-13T22:59:59Z", ["13.01. 21:00/13.01. 23:00"]),
    ("at its end", "2026-01-13T23:00:00Z", []),
    ("another day", "2026-01-14T21:30:00Z", []),
    ("in summer it is two", "2026-07-14T20:00:00Z", ["14.07. 20:00/14.07. 22:00"]),
]


@pytest.mark.parametrize(("at", "windows"), [row[1:] for row in WEEKLY], ids=[row[0] for row in WEEKLY])
def test_a_weekly_window_keeps_its_local_time(at: str, windows: list[str]) -> None:
    assert under_way(work(), at) == windows


CLOCKS = [
    (
        "set back over it: the first of the two counts",
        work(timezone=BERLIN, at=time(2, 30), minutes=45, weekdays=("sunday",)),
        {"2026-10-25T00:29:00Z": False, "2026-10-25T00:30:00Z": True, "2026-10-25T01:14:00Z": True}
        | {"2026-10-25T01:15:00Z": False, "2026-10-25T01:30:00Z": False},
    ),
    (
        "set forward over it: when it would have come by the clock before",
        work(timezone=BERLIN, at=time(2, 30), minutes=45, weekdays=("sunday",)),
        {"2026-03-29T01:29:00Z": False, "2026-03-29T01:30:00Z": True, "2026-03-29T02:14:00Z": True}
        | {"2026-03-29T02:15:00Z": False},
    ),
    (
        "it lasts by a stopwatch where the clock is set back inside it",
        work(timezone=NEW_YORK, at=time(0), minutes=180, weekdays=("sunday",)),
        {"2026-11-01T04:00:00Z": True, "2026-11-01T06:59:00Z": True, "2026-11-01T07:00:00Z": False},
    ),
    (
        "Lord Howe is set back by half an hour: the first of the two",
        work(timezone=LORD_HOWE, at=time(1, 45), minutes=20, weekdays=("sunday",)),
        {"2026-04-04T14:44:00Z": False, "2026-04-04T14:45:00Z": True, "2026-04-04T15:04:00Z": True}
        | {"2026-04-04T15:05:00Z": False, "2026-04-04T15:15:00Z": False},
    ),
    (
        "Lord Howe is set forward by half an hour over it",
        work(timezone=LORD_HOWE, at=time(2, 15), minutes=20, weekdays=("sunday",)),
        {"2026-10-03T15:44:00Z": False, "2026-10-03T15:45:00Z": True, "2026-10-03T16:04:00Z": True}
        | {"2026-10-03T16:05:00Z": False},
    ),
]


@pytest.mark.parametrize(("recurring", "moments"), [row[1:] for row in CLOCKS], ids=[row[0] for row in CLOCKS])
def test_when_the_clock_is_changed(recurring: Recurring, moments: dict[str, bool]) -> None:
    assert {at: bool(under_way(recurring, at)) for at in moments} == moments


MONTHLY = [
    ("the 31st", (31,), {"2026-01-31": True, "2026-01-30": False}),
    ("the 31st of a month that has 28 days", (31,), {"2026-02-28": True, "2026-02-27": False}),
    ("the 30th of a month that has 28 days", (30,), {"2026-02-28": True}),
    ("the 29th in a leap year", (29,), {"2028-02-29": True, "2028-02-28": False}),
    ("the last day", (-1,), {"2026-04-30": True, "2026-04-29": False, "2026-02-28": True}),
    ("the last but one", (-2,), {"2026-04-29": True, "2026-04-30": False}),
    ("the first and the fifteenth", (1, 15), {"2026-03-01": True, "2026-03-15": True, "2026-03-02": False}),
]


@pytest.mark.parametrize(("days", "on"), [row[1:] for row in MONTHLY], ids=[row[0] for row in MONTHLY])
def test_a_monthly_window_clamps_to_the_last_day(days: tuple[int, ...], on: dict[str, bool]) -> None:
    recurring = work(weekdays=(), days=days, at=time(12), timezone="UTC")
    assert {day: bool(under_way(recurring, f"{day}T12:30:00Z")) for day in on} == on


WEEKS = [
    ("the second", (2,), {"2026-09-08": True, "2026-09-01": False, "2026-09-15": False}),
    ("the first and the third", (1, 3), {"2026-09-01": True, "2026-09-15": True, "2026-09-08": False}),
    ("the last", (-1,), {"2026-09-29": True, "2026-09-22": False, "2026-02-24": True}),
    ("the fifth, where there is one", (5,), {"2026-09-29": True, "2026-02-24": False}),
]


@pytest.mark.parametrize(("weeks", "on"), [row[1:] for row in WEEKS], ids=[row[0] for row in WEEKS])
def test_certain_tuesdays_of_a_month(weeks: tuple[int, ...], on: dict[str, bool]) -> None:
    recurring = work(weeks=weeks, at=time(12), timezone="UTC")
    assert {day: bool(under_way(recurring, f"{day}T12:30:00Z")) for day in on} == on


def test_a_long_window_is_under_way_days_after_it_began() -> None:
    recurring = work(minutes=LONGEST)
    assert under_way(recurring, "2026-01-20T20:59:00Z") == ["13.01. 21:00/20.01. 21:00"]


@pytest.mark.parametrize("zone", ["Nowhere/Land", "", "../etc/passwd"])
def test_an_unknown_zone_suppresses_nothing(zone: str) -> None:
    assert under_way(work(timezone=zone), "2026-01-13T21:30:00Z") == []


@given(
    seconds=st.integers(0, 730 * 86400),
    start=st.times(),
    minutes=st.integers(1, LONGEST),
    weekdays=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
)
def test_every_window_begins_at_its_local_time_or_in_a_gap_and_lasts_as_long_as_it_says(
    seconds: int, start: time, minutes: int, weekdays: set[str], zone: str
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    recurring = work(at=start, minutes=minutes, weekdays=tuple(weekdays), timezone=zone)
    for starts, ends in occurrences(recurring, at):
        assert starts <= at < ends
        assert ends - starts == timedelta(minutes=minutes)
        local = starts.astimezone(ZoneInfo(zone))
        skipped = (local - timedelta(hours=1)).utcoffset() != local.utcoffset()
        assert skipped or (local.timetz().replace(tzinfo=None, fold=0), WEEKDAYS[local.weekday()] in weekdays) == (
            start.replace(fold=0),
            True,
        )


def test_it_is_a_window_of_the_team_with_an_id_of_its_own_each_time() -> None:
    team = a_team(recurring_maintenance=(work(),))
    ids = [w.id for at in ("2026-01-13T22:00:00Z", "2026-01-20T22:00:00Z") for w in planned(team, instant(at))]
    assert ids == ["maintenance-patching-20260113T2100Z", "maintenance-patching-20260120T2100Z"]
