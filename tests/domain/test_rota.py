"""Who is on call: over the days on which the clocks change, and with people who stand in for others."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.rota import Override, names, on_call, recipients
from incident_bot.domain.team import EscalationStep, Rota
from tests.building import a_person, a_team

PEOPLE = ("ada", "grace", "edsger")
INSTANTS = st.integers(0, 4 * 365 * 86400).map(lambda s: datetime(2026, 1, 8, tzinfo=UTC) + timedelta(seconds=s))


def a_rota(
    timezone: str = "Europe/Berlin", handover: str = "09:00", turn_days: int = 1, starts: str = "2026-01-05"
) -> Rota:
    return Rota("primary", timezone, date.fromisoformat(starts), time.fromisoformat(handover), PEOPLE, turn_days)


def an_override(
    number: int, by: str, replaces: str = "", starts: str = "2026-01-01", ends: str = "2027-01-01"
) -> Override:
    at = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (starts, ends)]
    return Override(f"{number:03d}", "primary", by, at[0], at[1], replaces)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


HANDOVERS = [
    # zone, handover, the moment (UTC), who is on call, what it shows
    ("Europe/Berlin", "09:00", "2026-01-05T07:59:59", None, "before the rota starts"),
    ("Europe/Berlin", "09:00", "2026-01-05T08:00:00", "ada", "at the first handover"),
    ("Europe/Berlin", "09:00", "2026-01-06T07:59:59", "ada", "just before the second"),
    ("Europe/Berlin", "09:00", "2026-01-06T08:00:00", "grace", "at the second"),
    ("Europe/Berlin", "09:00", "2026-03-28T08:00:00", "grace", "09:00 in winter time is 08:00 UTC"),
    ("Europe/Berlin", "09:00", "2026-03-29T06:59:59", "grace", "the day of the change has 23 hours"),
    ("Europe/Berlin", "09:00", "2026-03-29T07:00:00", "edsger", "09:00 in summer time is 07:00 UTC"),
    ("Europe/Berlin", "02:30", "2026-03-29T00:59:59", "grace", "02:30 does not exist that day: not yet at 01:59:59"),
    ("Europe/Berlin", "02:30", "2026-03-29T01:29:59", "grace", "nor at 03:29:59"),
    ("Europe/Berlin", "02:30", "2026-03-29T01:30:00", "edsger", "but at 03:30, where 02:30 would have been"),
    ("Europe/Berlin", "02:30", "2026-10-25T00:30:00", "edsger", "02:30 comes twice: the first one hands over"),
    ("Europe/Berlin", "02:30", "2026-10-25T01:15:00", "edsger", "and 02:15 for the second time does not hand back"),
    ("Europe/Berlin", "02:30", "2026-10-25T01:30:00", "edsger", "nor does the second 02:30 hand over again"),
    ("Australia/Lord_Howe", "01:45", "2026-04-04T14:44:59", "edsger", "clocks go back by 30 minutes at 02:00"),
    ("Australia/Lord_Howe", "01:45", "2026-04-04T14:45:00", "ada", "the first 01:45 (UTC+11) hands over"),
    ("Australia/Lord_Howe", "01:45", "2026-04-04T15:05:00", "ada", "01:35 for the second time (UTC+10:30)"),
    (
        "Australia/Lord_Howe",
        "02:15",
        "2026-10-03T15:44:59",
        "grace",
        "02:15 is skipped: it would have been at 15:45 UTC",
    ),
    ("Australia/Lord_Howe", "02:15", "2026-10-03T15:45:00", "edsger", "which the clock calls 02:45"),
    ("Pacific/Kiritimati", "00:00", "2026-01-05T10:00:00", "grace", "14 hours ahead it is the next day already"),
]


@pytest.mark.parametrize(("zone", "handover", "at", "person", "why"), HANDOVERS, ids=[row[4] for row in HANDOVERS])
def test_handovers_keep_to_the_wall_clock(zone: str, handover: str, at: str, person: str | None, why: str) -> None:
    duty = on_call(a_rota(zone, handover), utc(at))
    assert duty.person == person, why
    assert on_call(a_rota(zone, handover), utc(at).astimezone(ZoneInfo(zone))) == duty, "in whatever zone it is asked"
    assert duty.reason


@given(
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "America/Havana", "Asia/Kathmandu"]),
    st.times().map(lambda t: t.replace(microsecond=0, tzinfo=None)),
    st.integers(1, 14),
    INSTANTS,
)
def test_exactly_one_turn_holds_at_every_instant_and_turns_follow_each_other(
    zone: str, handover: time, turn_days: int, at: datetime
) -> None:
    rota = Rota("primary", zone, date(2026, 1, 5), handover, PEOPLE, turn_days)
    order = {None: -1} | {person: number for number, person in enumerate(PEOPLE)}
    now, later = on_call(rota, at).person, on_call(rota, at + timedelta(minutes=20)).person
    assert now is not None
    assert later in (now, PEOPLE[(order[now] + 1) % len(PEOPLE)])


@given(INSTANTS)
def test_a_turn_changes_only_at_its_local_hour(at: datetime) -> None:
    rota = a_rota("Australia/Lord_Howe", "09:00", turn_days=7)
    before, after = on_call(rota, at - timedelta(minutes=1)).person, on_call(rota, at).person
    local = at.astimezone(ZoneInfo("Australia/Lord_Howe"))
    assert before == after or local.time() < time(9, 1)


OVERRIDES = [
    # who is scheduled is ada all through; the overrides in the order they were made; who is on call
    ([], "ada"),
    ([an_override(1, "grace", "ada")], "grace"),
    ([an_override(1, "grace", "edsger")], "ada"),
    ([an_override(1, "grace")], "grace"),
    ([an_override(1, "grace", "ada"), an_override(2, "edsger", "ada")], "edsger"),
    ([an_override(2, "edsger", "ada"), an_override(1, "grace", "ada")], "edsger"),
    ([an_override(1, "grace", "ada"), an_override(2, "edsger", "grace")], "edsger"),
    ([an_override(1, "grace", "ada"), an_override(2, "edsger", "ada"), an_override(3, "ada", "grace")], "edsger"),
    ([an_override(1, "grace", "ada"), an_override(2, "ada", "grace")], "ada"),
    ([an_override(1, "grace", "ada", ends="2026-01-05T10:00:00")], "ada"),
    ([an_override(1, "grace", "ada", starts="2026-01-05T10:00:01")], "ada"),
    ([an_override(1, "grace", "ada", starts="2026-01-05T10:00:00", ends="2026-01-05T10:00:01")], "grace"),
    ([an_override(1, "grace", "ada"), an_override(2, "edsger", "ada", ends="2026-01-05T10:00:00")], "grace"),
    ([Override("001", "another rota", "grace", utc("2026-01-01"), utc("2027-01-01"), "ada")], "ada"),
]


@pytest.mark.parametrize(("overrides", "person"), OVERRIDES)
def test_overrides(overrides: list[Override], person: str) -> None:
    assert on_call(a_rota(), utc("2026-01-05T10:00:00"), overrides).person == person


def test_an_override_ends_with_the_turn_it_replaces() -> None:
    overrides = [an_override(1, "edsger", "ada")]
    assert on_call(a_rota(), utc("2026-01-06T07:59:59"), overrides).person == "edsger"
    assert on_call(a_rota(), utc("2026-01-06T08:00:00"), overrides).person == "grace"


@pytest.mark.parametrize(
    ("rota", "reason"),
    [
        (a_rota(starts="2026-02-01"), "starts on 2026-02-01"),
        (Rota("empty", "UTC", date(2026, 1, 1), time(9), ()), "has no people"),
        (a_rota("Mars/Olympus"), "unknown time zone"),
    ],
)
def test_nobody_on_call_has_a_reason(rota: Rota, reason: str) -> None:
    duty = on_call(rota, utc("2026-01-05T10:00:00"))
    assert duty.person is None
    assert reason in duty.reason


def test_a_step_reaches_each_person_once_and_says_which_names_reach_nobody() -> None:
    team = a_team(people={"ada": a_person(), "grace": a_person("grace")})
    step = EscalationStep(("rota:payments", "person:ada", "rota:nights", "person:alan"), ("pagerduty",))
    found = recipients(step, team, utc("2026-01-15T10:00:00"))
    assert found.people == ("grace", "ada")
    assert len(found.reasons) == 2
    assert found.missing == ("rota:nights is neither a rota nor a person", "alan is no person")
    assert names(found.people, team) == "Grace, Ada"
