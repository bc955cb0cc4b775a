"""Do the same messages, however often and in whatever order they arrive, give the same incidents in the end?

Late by up to 90 s, before anything closed. Two things are by arrival, by nature. A series that was over before its
trigger was heard of, with nothing open that explains it, stays a record by itself and pages nobody (trap 7): on time it
would have opened an incident, which others might have joined. And faults of one service that begin minutes apart are
one or two by when they were heard of: a history here is shorter than `join_window`.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.incident import Incident
from incident_bot.domain.series import Series
from incident_bot.domain.shape import dump
from incident_bot.domain.team import Timing
from incident_bot.ingest import signals
from incident_bot.state import heads, incidents, series
from incident_bot.virtual.clock import T0
from tests.building import a_service, a_team, an_alert
from tests.simulation.faults import Plan
from tests.simulation.stage import Account, an_account

LASTS, LATE = 120, 90  # seconds of a history, and by which a message may be late
QUIET, STALE = LASTS + 2 * LATE, 600  # nothing closes before everything was heard
SCOPE = "production"
TITLES, SOURCES = ("errors", "latency"), ("generic", "pagerduty", "cloudwatch")
SERVICES = {
    "web": a_service("web", depends_on=("api",)),
    "api": a_service("api", depends_on=("db",)),
    "db": a_service("db"),
    "search": a_service("search"),
}
TEAM = a_team(services=SERVICES, timing=Timing(quiet_period=QUIET, stale_after=STALE))


@dataclass(frozen=True)
class Arrival:
    """One message as it comes: when, in seconds, and by which delivery."""

    at: int
    alert: Alert
    delivery: str


@dataclass(frozen=True)
class Ended:
    """An incident as people find it in the end: of which series, and what became of it."""

    series: frozenset[str]
    root: str
    severity: Severity
    over_early: bool
    over: bool


def says(series: tuple[str, str, str], at: int, status: Status, severity: Severity, starts: int) -> Alert:
    service, title, source = series
    return an_alert(
        source=source,
        title=title,
        service=service,
        identity={"service": service, "title": title},
        labels={},
        status=status,
        severity=severity,
        occurred_at=T0 + timedelta(seconds=at),
        started_at=T0 + timedelta(seconds=starts),
    )


def series_name(known: Alert | Series) -> str:
    return f"{known.source}: {known.service} {known.title}"


@st.composite
def a_series(draw: st.DrawFn) -> list[tuple[int, Alert]]:
    """What one series says, in its order: it fires, repeats, gets worse, clears, perhaps fires again."""
    names = st.tuples(st.sampled_from(sorted(SERVICES)), st.sampled_from(TITLES), st.sampled_from(SOURCES))
    series, at = draw(names), draw(st.integers(0, 30))
    severity, starts, status = draw(st.sampled_from((Severity.SEV2, Severity.SEV3))), at, Status.FIRING
    found = [(at, says(series, at, status, severity, starts))]
    for what in draw(st.lists(st.sampled_from(("repeat", "worse", "turn")), max_size=4)):
        at += draw(st.integers(1, 30))
        if at > LASTS:
            break
        if what == "turn":
            status = Status.RESOLVED if status is Status.FIRING else Status.FIRING
            starts = at if status is Status.FIRING else starts
        elif status is Status.FIRING and what == "worse":
            severity = Severity(max(1, severity - 1))
        found.append((at, says(series, at, status, severity, starts)))
    return found


def distinct(histories: Sequence[list[tuple[int, Alert]]]) -> list[tuple[int, Alert]]:
    kept = {history[0][1].fingerprint: history for history in histories}
    return sorted((one for history in kept.values() for one in history), key=lambda one: one[0])


histories = st.lists(a_series(), min_size=1, max_size=7).map(distinct)


@st.composite
def two_tellings(draw: st.DrawFn) -> tuple[list[Arrival], list[Arrival], int]:
    """A history as it happened, one message at a time, and as transport delivers it: late, again, together."""
    history = draw(histories)
    plain = [Arrival(at, alert, f"d{n}") for n, (at, alert) in enumerate(history)]
    told: list[Arrival] = []
    ticks = draw(st.sampled_from((1, 10, 30)))
    for n, (at, alert) in enumerate(history):
        for copy, late in enumerate(draw(st.lists(st.integers(0, LATE), min_size=1, max_size=3))):
            again = draw(st.booleans())
            moment = min(at + LATE, -(-(at + late) // ticks) * ticks)
            told.append(Arrival(moment, alert, f"d{n}" if again else f"d{n}-{copy}"))
    return plain, sorted(told, key=lambda a: a.at), draw(st.integers(1, 10))


def heard(arrivals: Sequence[Arrival], batch: int) -> frozenset[Ended]:
    """The incidents that come of it."""
    account = an_account(Plan(), TEAM)
    account.deployment.batch = batch
    for moment in sorted({a.at for a in arrivals}):
        account.run_for((T0 + timedelta(seconds=moment) - account.world.now()).total_seconds())
        for arrival in (a for a in arrivals if a.at == moment):
            body = signals.packed(arrival.alert.source, arrival.delivery, T0, [json.dumps(dump(arrival.alert))])
            account.world.queue.send(body)
        account.deployment.run_for(0)
    account.deployment.run_until(T0 + timedelta(seconds=LASTS + LATE + 1))
    members = belonging(account)
    account.deployment.run_until(T0 + timedelta(seconds=LASTS + LATE + QUIET + 120))
    early = {incident: read(account, incident) for incident in members}
    account.deployment.run_until(T0 + timedelta(seconds=LASTS + LATE + 2 * QUIET + 2 * STALE + 120))
    ends = {incident: read(account, incident) for incident in members}
    return frozenset(
        Ended(frozenset(names), ends[i].service, ends[i].severity, early[i].over, ends[i].over)
        for i, names in members.items()
    )


def read(account: Account, incident: str) -> Incident:
    return incidents.read(account.world.store, incident)


def belonging(account: Account) -> dict[str, set[str]]:
    """The series of each incident, moves and mergers followed."""
    head, found = heads.read(account.world.store, SCOPE), dict[str, set[str]]()
    for known in series.of(account.world.store, SCOPE):
        group = head.groups.get(known.group)
        incident = read(account, group.incident if group else known.incident)
        while incident.merged_into:
            incident = read(account, incident.merged_into)
        found.setdefault(incident.id, set()).add(series_name(known))
    return found


def overtaken(arrivals: Sequence[Arrival]) -> set[str]:
    """The series of which a resolve was heard before any trigger."""
    first: dict[str, Status] = {}
    for arrival in arrivals:
        first.setdefault(series_name(arrival.alert), arrival.alert.status)
    return {name for name, status in first.items() if status is Status.RESOLVED}


def but(found: Iterable[Ended], alone: Collection[str], beside: Collection[str]) -> frozenset[Ended | frozenset[str]]:
    """The incidents without the series that stayed alone; what is `beside` one of them is told by its series only."""
    without = ((ended, ended.series - frozenset(alone)) for ended in found)
    return frozenset(rest if rest & frozenset(beside) else ended for ended, rest in without if rest)


def told_late(seconds: int) -> tuple[list[Arrival], list[Arrival], int]:
    """What depends fires, and four seconds later its cause, which is heard of so much later."""
    effect, cause = (
        says((service, "errors", "generic"), at, Status.FIRING, Severity.SEV2, at)
        for service, at in (("api", 0), ("db", 4))
    )
    first = Arrival(0, effect, "d0")
    return [first, Arrival(4, cause, "d1")], [first, Arrival(4 + seconds, cause, "d1")], 1


@settings(max_examples=40, deadline=None)
@given(tellings=two_tellings())
@example(tellings=told_late(57))
@example(tellings=told_late(LATE))
def test_the_same_messages_give_the_same_incidents(tellings: tuple[list[Arrival], list[Arrival], int]) -> None:
    """By their series, root service and severity, and by which of them are over, before and after a stale time."""
    plain, told, batch = tellings
    one, other = heard(plain, 1), heard(told, batch)
    alone = {name for name in overtaken(told) if any(ended.series == {name} for ended in other)}
    beside = {name for ended in one if ended.series & alone for name in ended.series}
    assert but(other, alone, beside) == but(one, alone, beside)
