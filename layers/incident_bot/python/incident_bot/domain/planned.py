"""Planned work: maintenance that happens once, and maintenance that recurs by a local calendar, summer and winter."""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = 7 * 1440  # minutes of recurring maintenance at a time


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work: what the matchers fit is recorded inside the window, and pages if it still fires afterwards."""

    name: str
    starts: datetime
    ends: datetime
    when: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recurring:
    """Planned work that recurs: it begins at the local time `at` and lasts for `minutes` by a stopwatch.

    On which days: the `weekdays` (all of them, or those of certain `weeks` of the month: 1 is the first such weekday,
    -1 the last), or the `days` of the month (from 1; the last day where a month is shorter; -1 is the last).
    """

    name: str
    owner: str
    review_by: date
    when: Mapping[str, str]
    timezone: str
    at: time
    minutes: int
    weekdays: tuple[str, ...] = ()
    weeks: tuple[int, ...] = ()
    days: tuple[int, ...] = ()


def occurrences(recurring: Recurring, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows (start, end; UTC) under way at that instant; none where the time zone is not known.

    Where the clock is set back over the start, the first of the two counts; where it skips it, the instant at which it
    would have come by the clock before (as in RFC 5545).
    """
    try:
        zone = ZoneInfo(recurring.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return
    lasts = timedelta(minutes=recurring.minutes)
    day, last = (at - lasts).astimezone(zone).date() - DAY, at.astimezone(zone).date() + DAY
    while day <= last:
        if _falls_on(recurring, day):
            starts = datetime.combine(day, recurring.at, zone).astimezone(UTC)
            if starts <= at < starts + lasts:
                yield starts, starts + lasts
        day += DAY


def _falls_on(recurring: Recurring, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if recurring.days:
        return any(day.day == (min(d, last) if d > 0 else max(1, last + 1 + d)) for d in recurring.days)
    if WEEKDAYS[day.weekday()] not in recurring.weekdays:
        return False
    week, from_end = (day.day - 1) // 7 + 1, -((last - day.day) // 7 + 1)
    return not recurring.weeks or week in recurring.weeks or from_end in recurring.weeks
