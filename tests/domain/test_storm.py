"""From how many pages on does a team get one for all that follow, what does it say when, and when does it end?"""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.message import Kind
from incident_bot.domain.storm import (
    CRITICAL_KEPT,
    MEMBERS_KEPT,
    Storm,
    Verdict,
    counts,
    decide,
    goes_on,
    lasts,
    opened,
    summary,
    title,
)
from incident_bot.domain.team import StormMode
from incident_bot.virtual.clock import T0
from tests.building import a_team, an_incident
from tests.deciding import later

BY = StormMode(pages=3, window_seconds=60)


class Team:
    """A team whose pages are counted one after the other."""

    def __init__(self, by: StormMode = BY) -> None:
        self.by, self.storm, self.verdicts = by, Storm(), list[Verdict]()

    def page(self, name: str, at: float, severity: Severity = Severity.SEV2) -> Verdict:
        incident = an_incident(id=name, service=name)
        verdict = decide(self.storm, incident, severity, self.by, later(at), new_id=f"storm@{at:g}")
        self.storm = verdict.storm
        self.verdicts.append(verdict)
        return verdict

    def burst(self, number: int, at: float = 0) -> list[Verdict]:
        return [self.page(f"inc{at:g}-{n}", at + n / 1000) for n in range(number)]


def test_as_many_pages_as_the_team_allows_go_out_singly() -> None:
    assert [verdict.alone for verdict in Team().burst(3)] == [True, True, True]


def test_all_that_follow_are_part_of_one_summary() -> None:
    verdicts = Team().burst(300)
    assert sum(verdict.alone for verdict in verdicts) == 3
    assert sum(verdict.begins for verdict in verdicts) == 1
    assert {verdict.storm.incident for verdict in verdicts if not verdict.alone} == {"storm@0.003"}
    assert verdicts[-1].storm.count == 297


def test_the_summary_tells_its_count_each_time_it_has_doubled() -> None:
    team = Team()
    team.burst(300)
    told = [verdict.storm.count for verdict in team.verdicts if verdict.begins or verdict.tells]
    assert told == [1, 2, 4, 8, 16, 32, 64, 128, 256]


def test_the_first_sev1_of_each_service_is_told_at_once_and_only_once() -> None:
    team = Team()
    team.burst(9)
    first, other = team.page("worse", 1, Severity.SEV1), team.page("as bad", 2, Severity.SEV1)
    again = team.page("worse", 3, Severity.SEV1)
    assert [v.alone for v in (first, other, again)] == [False] * 3
    assert [(v.tells, v.critical) for v in (first, other, again)] == [(True, "worse"), (True, "as bad"), (False, "")]
    assert first.storm.severity is Severity.SEV1


def test_of_services_at_sev1_it_remembers_a_bounded_number_and_forgets_rather_than_hides() -> None:
    team = Team()
    team.burst(4)
    told = [team.page(f"s{n}", 1 + n / 100, Severity.SEV1).critical for n in range(3 * CRITICAL_KEPT)]
    assert all(told)
    assert len(team.storm.critical) == CRITICAL_KEPT
    assert team.page("s0", 10, Severity.SEV1).critical == "s0"


def test_a_slow_trickle_is_no_storm() -> None:
    team = Team()
    assert all(team.page(f"inc{n}", at=n * 21).alone for n in range(50))


def test_a_storm_ends_when_the_rate_falls_and_the_next_one_has_a_summary_of_its_own() -> None:
    team = Team()
    team.burst(9)
    calm = team.page("calm", at=61)
    assert calm.alone
    assert calm.ended
    assert (calm.ended.incident, calm.ended.count) == ("storm@0.003", 6)
    team.burst(9, at=100)
    assert (team.storm.incident, team.storm.count) == ("storm@100.002", 7)


def test_the_same_incident_counts_once_however_often_it_pages() -> None:
    team = Team()
    team.burst(4)
    for _ in range(5):
        team.page("inc0-3", at=1)
    assert team.storm.count == 1


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from(Severity)), max_size=120))
def test_people_get_a_handful_of_pages_whatever_pours_in(pages: list[tuple[float, Severity]]) -> None:
    """Singly, the summary's, and one for each time that it gets worse; never more in a window. Nothing is uncounted."""
    team, at = Team(), 0.0
    woken: list[float] = []
    for number, (pause, severity) in enumerate(pages):
        at += pause
        worst = team.storm.severity
        verdict = team.page(f"inc{number}", at, severity)
        if verdict.alone or verdict.begins or (verdict.tells and severity < worst):
            woken.append(at)
        assert verdict.alone or f"inc{number}" in verdict.storm.members
    for start in woken:
        inside = [one for one in woken if start <= one < start + BY.window_seconds]
        assert len(inside) <= 2 * BY.pages + len(Severity)


def test_it_names_the_first_and_counts_the_rest() -> None:
    team = Team()
    team.burst(23)
    assert title(team.storm, "payments") == "20 more incidents of payments would page"
    said = summary(team.storm, BY)
    assert said.startswith("more than 3 pages within 60 s, so this one stands for the pages of: Sev2 inc0-3: ")
    assert said.endswith("; and 12 more. All: incidentbot list")


def test_the_summary_is_an_incident_that_the_team_is_paged_for() -> None:
    team = Team()
    team.burst(4)
    incident = opened(team.storm, an_incident(), "payments", a_team(), T0)
    assert (incident.id, incident.owner, incident.state) == ("storm@0.003", "payments", State.DETECTED)
    assert incident.escalation
    assert incident.escalation.group == "payments"
    assert not incident.over
    assert {"start", "stale"} <= set(incident.clocks)


def an_intent(purpose: str = "first", **details: str) -> Intent:
    return Intent("inc1", "i1", purpose, Kind.TRIGGER, Severity.SEV2, "payments", (), "", details=details)


def test_what_asks_somebody_for_one_thing_is_never_part_of_a_summary_nor_a_summary_of_another() -> None:
    assert all(
        counts(an_incident(), an_intent(purpose)) for purpose in ("first", "escalation", "worsened", "reassigned")
    )
    assert not counts(an_incident(), an_intent("undo"))
    assert not counts(an_incident(), an_intent(approval="inc1-p1"))
    assert not counts(an_incident(kind="storm"), an_intent())


def test_a_summary_is_needed_while_anything_of_it_fires() -> None:
    firing, clear = an_incident(state=State.TRIAGED), an_incident(state=State.MITIGATED)
    over = an_incident(state=State.RESOLVED, resolved_at=T0)
    assert goes_on(Storm(), [clear, firing, over], T0, BY) == (True, "storm-fires: 1 of its incidents still fire")
    assert goes_on(Storm(), [clear, over], T0, BY) == (False, "storm-over: none of its incidents fires any more")
    assert goes_on(Storm(recent=(T0,) * 3), [over], T0 + timedelta(seconds=59), BY)[0]
    assert not lasts(Storm(recent=(T0,) * 3), T0 + timedelta(seconds=60), BY)


def test_however_many_there_are_its_item_stays_small() -> None:
    team = Team()
    team.burst(2 * MEMBERS_KEPT)
    assert len(team.storm.members) == MEMBERS_KEPT
    assert team.storm.count == 2 * MEMBERS_KEPT - 3
    incident: Incident = opened(team.storm, an_incident(title="x" * 300), "payments", a_team(), T0)
    assert len(incident.summary) < 2000
