"""The windows of `rules.yaml`: planned maintenance, once or recurring, and what else keeps alerts from being told."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from incident_bot.configuration import matching
from incident_bot.configuration.draft import Draft
from incident_bot.configuration.problem import Flaw, Path, unknown
from incident_bot.domain.inhibit import LONGEST as LONGEST_INHIBITION
from incident_bot.domain.nearest import nearest
from incident_bot.domain.planned import LONGEST, WEEKDAYS, Recurring
from incident_bot.domain.team import DeployWindow, Inhibition

LONGEST_DEPLOY = 240  # minutes
LONGEST_CHAIN = 1440  # minutes of deployments that follow one another


def check(draft: Draft) -> Iterator[Flaw]:
    """Every window has a length, comes at some time, and can fit an alert."""
    for index, (_, planned) in enumerate(draft.maintenance):
        if planned.starts >= planned.ends:
            yield Flaw(("maintenance", index, "ends"), "must be after it starts")
        yield from _when(planned.when, ("maintenance", index), draft)
    for index, recurring in draft.recurring_maintenance:
        yield from _recurring(recurring, ("recurring_maintenance", index), draft)
    for index, inhibition in draft.inhibitions:
        yield from _inhibition(inhibition, ("inhibitions", index), draft)
    for index, window in draft.deploy_windows:
        yield from _deploy_window(window, ("deploy_windows", index), draft)


def _recurring(recurring: Recurring, path: Path, draft: Draft) -> Iterator[Flaw]:
    yield from _owner(recurring.owner, path, draft)
    yield from _when(recurring.when, path, draft)
    if not 1 <= recurring.minutes <= LONGEST:
        yield Flaw((*path, "minutes"), f"must be between 1 and {LONGEST} (7 days), not {recurring.minutes}")
    if recurring.at.tzinfo:
        yield Flaw((*path, "at"), "is local time: the zone is named by `timezone`")
    try:
        ZoneInfo(recurring.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        near = nearest(recurring.timezone, available_timezones())
        yield Flaw((*path, "timezone"), f"there is no time zone {recurring.timezone!r}", near)
    yield from _days(recurring, path)


def _days(recurring: Recurring, path: Path) -> Iterator[Flaw]:
    if bool(recurring.weekdays) == bool(recurring.days):
        yield Flaw(path, "needs either `weekdays` or `days` of the month")
    if recurring.weeks and not recurring.weekdays:
        yield Flaw((*path, "weeks"), "says which `weekdays` of a month, of which there are none")
    for index, name in enumerate(recurring.weekdays):
        if name not in WEEKDAYS:
            yield unknown((*path, "weekdays", index), "weekday", name, WEEKDAYS)
    for index, week in enumerate(recurring.weeks):
        if week not in (-1, 1, 2, 3, 4, 5):
            yield Flaw((*path, "weeks", index), f"must be 1 to 5, or -1 for the last, not {week}")
    for index, day in enumerate(recurring.days):
        if not (1 <= day <= 31 or -28 <= day <= -1):
            yield Flaw((*path, "days", index), f"must be 1 to 31, or -1 (the last day) to -28, not {day}")


def _inhibition(inhibition: Inhibition, path: Path, draft: Draft) -> Iterator[Flaw]:
    yield from _owner(inhibition.owner, path, draft)
    yield from _when(inhibition.source, path, draft, "source")
    yield from _when(inhibition.target, path, draft, "target")
    if not 1 <= inhibition.minutes <= LONGEST_INHIBITION:
        yield Flaw((*path, "minutes"), f"must be between 1 and {LONGEST_INHIBITION}, not {inhibition.minutes}")
    for index, name in enumerate(inhibition.equal):
        for flaw in matching.check({name: "*"}, (*path, "equal"), draft, matching.PLAYBOOK_FIELDS):
            yield Flaw((*path, "equal", index), flaw.reason, flaw.nearest)


def _deploy_window(window: DeployWindow, path: Path, draft: Draft) -> Iterator[Flaw]:
    yield from _owner(window.owner, path, draft)
    yield from _when(window.when, path, draft)
    if not 1 <= window.minutes <= LONGEST_DEPLOY:
        yield Flaw((*path, "minutes"), f"must be between 1 and {LONGEST_DEPLOY}, not {window.minutes}")
    if not 0 <= window.settle_minutes <= LONGEST_DEPLOY:
        yield Flaw((*path, "settle_minutes"), f"must be between 0 and {LONGEST_DEPLOY}, not {window.settle_minutes}")
    if not 1 <= window.chained_minutes <= LONGEST_CHAIN:
        yield Flaw((*path, "chained_minutes"), f"must be between 1 and {LONGEST_CHAIN}, not {window.chained_minutes}")


def _when(when: Mapping[str, str], path: Path, draft: Draft, name: str = "when") -> Iterator[Flaw]:
    if not when:
        yield Flaw((*path, name), "fits nothing without a matcher: it would never suppress anything")
    yield from matching.check(when, (*path, name), draft, matching.PLAYBOOK_FIELDS)


def _owner(owner: str, path: Path, draft: Draft) -> Iterator[Flaw]:
    if owner not in draft.names["groups"]:
        yield unknown((*path, "owner"), "group", owner, draft.names["groups"])
