"""Who is on call: one function answers it, for the pager, the command line and everybody else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incident_bot.domain.team import EscalationStep, Rota, Team

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Override:
    """`by` stands in for `replaces` (empty: for whoever it is) from `starts` until just before `ends`.

    Its id sorts by the time it was made: of several that apply, the one made last decides.
    """

    id: str
    rota: str
    by: str
    starts: datetime
    ends: datetime
    replaces: str = ""
    reason: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call (None: nobody) and why."""

    person: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """The people that a step's names stand for at one moment, each once, with the reason for each; `missing` says which
    names stood for nobody."""

    people: tuple[str, ...]
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()


def on_call(rota: Rota, at: datetime, overrides: Sequence[Override] = ()) -> Duty:
    """Who is on call at that instant, after the overrides of this rota that hold then.

    An override applies only while the person it replaces is the scheduled one or stands in at that instant.
    """
    scheduled = _scheduled(rota, at)
    person, reason = scheduled.person, scheduled.reason
    for override in sorted(overrides, key=lambda o: o.id):
        if override.rota != rota.name or not override.starts <= at < override.ends:
            continue
        if not override.replaces or override.replaces in (scheduled.person, person):
            person = override.by
            reason = f"stands in for {override.replaces or scheduled.person or 'nobody'} on rota {rota.name}"
    return Duty(person, reason)


def recipients(step: EscalationStep, team: Team, at: datetime, overrides: Sequence[Override] = ()) -> Recipients:
    """The people whom that step reaches at that instant; a name that cannot be resolved is missing, never an error."""
    people: dict[str, str] = {}
    missing: list[str] = []
    for name in step.notify:
        duty = _named(name, team, at, overrides)
        if duty.person is None:
            missing.append(duty.reason)
        else:
            people.setdefault(duty.person, duty.reason)
    return Recipients(tuple(people), tuple(people.values()), tuple(missing))


def names(people: Sequence[str], team: Team) -> str:
    """Those people by their names, for a sentence."""
    known: Mapping[str, str] = {p: team.people[p].name if p in team.people else p for p in people}
    return ", ".join(known[p] for p in people)


def _named(name: str, team: Team, at: datetime, overrides: Sequence[Override]) -> Duty:
    kind, _, wanted = name.partition(":")
    if kind == "person":
        known = wanted in team.people
        return Duty(wanted if known else None, f"{name} is named by the step" if known else f"{wanted} is no person")
    rota = team.rotas.get(wanted) if kind == "rota" else None
    return on_call(rota, at, overrides) if rota else Duty(None, f"{name} is neither a rota nor a person")


def _scheduled(rota: Rota, at: datetime) -> Duty:
    if not rota.people:
        return Duty(None, f"rota {rota.name} has no people")
    try:
        zone = ZoneInfo(rota.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return Duty(None, f"rota {rota.name} has the unknown time zone {rota.timezone}")
    day = _handed_over(rota, zone, at)
    if day < rota.starts:
        return Duty(None, f"rota {rota.name} starts on {rota.starts}")
    turn = (day - rota.starts).days // rota.turn_days
    person = rota.people[turn % len(rota.people)]
    return Duty(person, f"on call for rota {rota.name}, turn {turn + 1}")


def _handed_over(rota: Rota, zone: ZoneInfo, at: datetime) -> date:
    """The local day whose handover was the last one at or before that instant."""
    today = at.astimezone(zone).date()
    days = (today + DAY, today, today - DAY)
    return next((day for day in days if _handover(rota, zone, day) <= at), today - 2 * DAY)


def _handover(rota: Rota, zone: ZoneInfo, day: date) -> datetime:
    """The instant of that day's handover: the first of two where the clock is set back over it, and where the clock
    skips it, the instant at which it would have come by the clock before (as in RFC 5545)."""
    return datetime.combine(day, rota.handover, zone).astimezone(UTC)
