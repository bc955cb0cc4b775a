"""What does a batch of alerts do to a scope: which incidents open, join, move, are told, and who is paged for it?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_bot.domain.admit import Admission
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.head import GROUPS_KEPT, Member
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.mail import MailKind
from incident_bot.domain.team import Rule, Team, Timing
from tests.building import a_group, a_service, a_team
from tests.deciding import Scope, later, says

F, R, U = Status.FIRING, Status.RESOLVED, Status.UNKNOWN
REVIEW = date(2027, 1, 1)


def a_rule(name: str, **changes: Any) -> Rule:
    return replace(Rule(name, "payments", REVIEW, {"title": f"{name}*"}), **changes)


def the_team() -> Team:
    """web and app depend on api, api on db (another team's); `flaky` alerts are held, `noisy` ones recorded."""
    services = {
        "web": a_service("web", depends_on=("api",)),
        "app": a_service("app", depends_on=("api",)),
        "api": a_service("api", depends_on=("db",)),
        "db": a_service("db", owner="storage"),
        "checkout": a_service("checkout", depends_on=("orders",)),
        "orders": a_service("orders", owner="storage"),
    }
    rules = (a_rule("flaky", hold_seconds=45), a_rule("noisy", noise=True))
    return a_team(services=services, rules=rules, groups={"payments": a_group(), "storage": a_group("storage")})


@pytest.fixture
def scope() -> Scope:
    return Scope(the_team())


def kinds(scope: Scope, incident: str) -> list[str]:
    return [mail.kind.value for mail in scope.mail.get(incident, [])]


# -- opening and joining ---------------------------------------------------------------------------------------------


def test_a_first_alert_opens_an_incident_with_its_page(scope: Scope) -> None:
    admission = scope.take(says(at=-30, severity=Severity.SEV1, summary="5 %"))
    (opening,) = admission.openings
    incident = opening.incident
    assert (incident.state, incident.generation, incident.noise, incident.alerts) == (State.DETECTED, 1, False, 1)
    assert (incident.opened_at, incident.started_at) == (later(0), later(-30))
    assert (opening.pages, opening.not_before, opening.page_reason) == (
        True,
        None,
        "sev1 as its source says; Sev1 pages",
    )
    assert set(incident.clocks) == {"start", "stale"}
    assert incident.escalation
    assert incident.escalation.steps == a_group().steps  # frozen at opening
    assert [(line.kind, line.text, line.reason) for line in opening.lines] == [
        ("signal", "generic says errors is firing", "no open incident explains it"),
        (
            "decision",
            "an incident of checkout, sev1",
            f"sev1 as its source says; Sev1 pages; confidence 85%: {incident.evidence}",
        ),
    ]


def test_a_ticket_opens_an_incident_without_page(scope: Scope) -> None:
    (opening,) = scope.take(says(severity=Severity.SEV4)).openings
    assert (opening.pages, opening.incident.generation) == (False, 1)


def test_a_source_s_clock_that_is_ahead_does_not_begin_a_fault_in_the_future(scope: Scope) -> None:
    (opening,) = scope.take(says(at=120)).openings
    assert opening.incident.started_at == later(0)


def test_another_alert_of_the_service_joins_and_is_mailed_once(scope: Scope) -> None:
    scope.take(says("errors"))
    scope.take(says("latency"), at=40)
    (mail,) = scope.mail["inc1"]
    assert (mail.kind, mail.detail["status"], mail.detail["new"]) == (MailKind.ALERT, "firing", "yes")
    assert mail.detail["joined"] == "checkout alerts there already"
    assert list(scope.incidents) == ["inc1"]


def test_a_resolve_is_told_to_the_incident_of_its_series_alone(scope: Scope) -> None:
    scope.take(says(service="web"), says(service="orders"))
    scope.take(says(service="web", status=R, at=9))
    assert scope.alert_mails("inc1") == ["resolved"]
    assert not scope.mail.get("inc2")


def test_a_worsening_that_its_resolve_overtook_makes_its_incident_as_bad_as_it_was_and_wakes_nobody(
    scope: Scope,
) -> None:
    scope.take(says("errors"), says("latency"))
    scope.take(says("errors", R, at=9), at=9)
    scope.take(says("errors", at=5, severity=Severity.SEV1), at=30)
    (mail,) = [m for m in scope.mail["inc1"] if m.detail.get("late")]
    assert (mail.detail["status"], mail.detail["severity"], mail.detail["pages"]) == ("resolved", "1", "")
    assert scope.head.incidents["inc1"].severity is Severity.SEV1
    again = scope.take(says("errors", at=5, severity=Severity.SEV1), at=31)
    assert (again.mail, again.series) == ({}, ())


def test_a_trigger_that_its_resolve_overtook_joins_what_explains_it(scope: Scope) -> None:
    scope.take(says("errors", service="db"))
    scope.take(says("latency", R, at=9, service="api"), at=9)
    admission = scope.take(says("latency", at=5, service="api"), at=30)
    assert (admission.openings, list(scope.head.groups.values())[-1].firing) == ((), 0)
    series = next(s for s in scope.series.values() if s.title == "latency")
    assert (series.status, scope.home(series).service) == (R, "db")
    assert [m.detail["late"] for m in scope.mail["inc1"]] == ["yes"]
    again = scope.take(says("latency", at=5, service="api"), at=31)
    assert (again.mail, again.series) == ({}, ())


def test_a_trigger_that_its_resolve_overtook_stays_a_record_where_nothing_explains_it(scope: Scope) -> None:
    scope.take(says(status=R, at=9), at=9)
    admission = scope.take(says(at=5), at=30)
    assert (admission.openings, admission.mail, admission.series) == ((), {}, ())


def test_equals_collapse_inside_a_batch(scope: Scope) -> None:
    admission = scope.take(says(), says(), says())
    assert (len(admission.openings), len(admission.series), dict(admission.mail)) == (1, 1, {})
    assert [verdict[2:] for verdict in admission.verdicts] == [
        ("no-cause", "no open incident explains it"),
        ("repeat", "firing already"),
        ("repeat", "firing already"),
    ]


def test_two_services_that_nothing_connects_are_two_incidents(scope: Scope) -> None:
    scope.take(says(service="web"), says(service="orders"))
    assert {i.service for i in scope.incidents.values()} == {"web", "orders"}


def test_scopes_of_the_decision_are_environments(scope: Scope) -> None:
    (opening,) = scope.take(scope.observe(says(), environment="staging")).openings
    assert opening.incident.scope == "staging"


# -- the same thing said again ---------------------------------------------------------------------------------------


def test_a_redelivery_changes_nothing_and_resumes_what_was_left_undone(scope: Scope) -> None:
    delivered = scope.observe(says())
    scope.take(delivered)
    again = scope.take(delivered, at=1)
    assert again == Admission(scope.head, resume=("inc1",), verdicts=(("d1", "inc1", "repeat", "firing already"),))


def test_a_re_send_is_no_redelivery(scope: Scope) -> None:
    scope.take(says())
    again = scope.take(says(), at=60)
    assert (again.series, again.mail, again.resume) == ((), {}, ())


def test_a_re_send_after_some_time_writes_its_own_item_and_nothing_else(scope: Scope) -> None:
    scope.take(says())
    again = scope.take(says(), at=901)
    ((before, series),) = again.series
    assert before
    assert (series.seen_at, series.version) == (later(901), before.version + 1)
    assert (again.head, again.mail) == (scope.head, {})


def test_what_is_older_than_a_re_send_is_late(scope: Scope) -> None:
    scope.take(says(at=0))
    scope.take(says(at=20))
    scope.take(says(status=R, at=10))
    assert next(iter(scope.series.values())).status is F
    assert not scope.mail


def test_a_late_redelivery_resumes_too(scope: Scope) -> None:
    """The first of two messages in one delivery is late when it comes again."""
    delivered = [scope.observe(says(at=0), "d1"), scope.observe(says(at=5), "d1")]
    scope.take(*delivered)
    assert scope.take(*delivered, at=6).resume == ("inc1",)


def test_the_same_series_gets_worse_and_its_incident_is_told(scope: Scope) -> None:
    scope.take(says(severity=Severity.SEV3))
    admission = scope.take(says(severity=Severity.SEV1, at=0), at=60)
    (mail,) = scope.mail["inc1"]
    assert (mail.detail["severity"], mail.detail["new"]) == ("1", "")
    assert admission.head.incidents["inc1"].severity is Severity.SEV1
    assert scope.reasons["d2"] == "firing already, sev3 before, sev1 now"
    again = scope.take(says(severity=Severity.SEV1, at=0), at=61)
    assert not again.mail


# -- order -----------------------------------------------------------------------------------------------------------


def test_a_resolve_before_its_trigger_leaves_a_tombstone_that_the_trigger_joins_unpaged(scope: Scope) -> None:
    """History 6."""
    (opening,) = scope.take(says(status=R, at=10)).openings
    assert (opening.incident.state, opening.incident.noise, opening.pages) == (State.RESOLVED, True, False)
    assert (opening.incident.firing, opening.incident.clocks) == ({}, {})
    assert opening.lines[-1].reason == "resolved without a trigger: a tombstone, in case the trigger is late"
    assert not scope.head.incidents
    late = scope.take(says(at=0), at=5)
    assert (late.openings, late.mail, late.series) == ((), {}, ())
    assert scope.assigned["d2"] == "inc1"


def test_a_trigger_newer_than_the_tombstone_pages_and_reopens_nothing(scope: Scope) -> None:
    scope.take(says(status=R, at=10))
    (opening,) = scope.take(says(at=20), at=20).openings
    assert (opening.pages, opening.incident.reopens) == (True, "")


def test_no_data_is_recorded_and_hides_no_trigger_however_old(scope: Scope) -> None:
    (opening,) = scope.take(says(status=U, at=10)).openings
    assert (opening.incident.state, opening.pages) == (State.RESOLVED, False)
    (opening,) = scope.take(says(at=5), at=12).openings
    assert opening.pages
    assert not scope.take(says(status=U, at=15), at=15).mail  # and it resolves nothing


def test_trigger_and_resolve_in_one_batch_are_an_incident_and_its_mail(scope: Scope) -> None:
    admission = scope.take(says(status=R, at=5), says(at=0))
    assert len(admission.openings) == 1
    assert scope.alert_mails("inc1") == ["resolved"]


# -- again after closing ---------------------------------------------------------------------------------------------


def closed_at_100(scope: Scope) -> None:
    scope.take(says())
    scope.take(says(status=R, at=50), at=50)
    scope.close("inc1", at=100)


@pytest.mark.parametrize(("at", "link"), [(101, "inc1"), (1900, "inc1"), (1901, ""), (10900, "")])
def test_again_after_closing_is_a_new_incident_that_pages_and_links_back_for_half_an_hour(
    scope: Scope, at: float, link: str
) -> None:
    """History 7."""
    closed_at_100(scope)
    (opening,) = scope.take(says(at=at), at=at).openings
    assert (opening.pages, opening.incident.reopens) == (True, link)
    notes = [line.text for line in opening.lines if line.kind == "note"]
    assert notes == ([f"reopens {link}"] if link else [])


def test_noise_is_not_reopened(scope: Scope) -> None:
    scope.take(says("noisy"))
    scope.take(says("noisy", status=R, at=5), at=5)
    (opening,) = scope.take(says("noisy", at=9), at=9).openings
    assert opening.incident.reopens == ""


def test_a_late_message_after_closing_opens_nothing(scope: Scope) -> None:
    closed_at_100(scope)
    late = scope.take(says(at=0), says(status=R, at=50), at=200)
    assert (late.openings, late.mail) == ((), {})


def test_a_source_that_insists_after_its_incident_closed_opens_another(scope: Scope) -> None:
    """The incident was closed on somebody's word, or its resolve was believed lost; the alert still fires."""
    delivered = scope.observe(says())
    scope.take(delivered)
    scope.close("inc1", at=100)
    assert not scope.take(delivered, at=200).openings  # the old delivery once more says nothing new
    (opening,) = scope.take(says(), at=300).openings
    assert (opening.pages, opening.incident.reopens) == (True, "inc1")
    assert scope.reasons["d2"] == "firing already, but its incident is over: its source insists"


def test_a_flapping_series_stays_in_its_open_incident_and_tells_its_rhythm(scope: Scope) -> None:
    for at in (0, 60, 120):
        scope.take(says(at=at), at=at)
        scope.take(says(status=R, at=at + 30), at=at + 30)
    assert list(scope.incidents) == ["inc1"]
    assert [mail.detail["rhythm"] for mail in scope.mail["inc1"]] == ["0.0", "0.0", "0.0", "60.0", "60.0"]


# -- cascades --------------------------------------------------------------------------------------------------------


def test_a_root_that_comes_last_joins_and_is_named(scope: Scope) -> None:
    """History 2."""
    scope.take(says(service="web"))
    scope.take(says(service="api", at=40), at=40)
    assert kinds(scope, "inc1") == ["root", "alert"]
    assert scope.mail["inc1"][0].argument == "api"
    assert scope.head.incidents["inc1"].root == "api"
    scope.take(says(service="app", at=50), at=50)
    assert list(scope.incidents) == ["inc1"]


def test_a_root_of_two_moves_the_younger_into_the_older_and_both_are_told(scope: Scope) -> None:
    scope.take(says("errors", service="web"))
    scope.take(says("errors", service="app"), says("latency", service="app"), at=10)
    scope.take(says(service="api", at=40), at=40)
    (out,) = scope.mail["inc2"][-1:]
    assert (out.kind, out.argument) == (MailKind.MOVED_OUT, "app@0115T100010")
    assert out.detail == {"to": "inc1", "rule": "better-root", "emptied": "yes"}
    assert kinds(scope, "inc1") == ["root", "moved_in", "alert"]
    assert scope.head.services("inc1") == {"web", "app", "api"}
    assert "inc2" not in scope.head.incidents


def test_what_moved_resolves_where_it_is_now(scope: Scope) -> None:
    test_a_root_of_two_moves_the_younger_into_the_older_and_both_are_told(scope)
    told = len(scope.mail["inc2"])
    scope.take(says("latency", service="app", status=R, at=60), at=60)
    assert scope.alert_mails("inc1") == ["firing", "resolved"]
    assert len(scope.mail["inc2"]) == told


def test_a_re_send_of_what_moved_is_no_news(scope: Scope) -> None:
    test_a_root_of_two_moves_the_younger_into_the_older_and_both_are_told(scope)
    assert not scope.take(says("errors", service="app", at=70), at=70).mail


def test_a_source_that_insists_on_what_was_left_behind_is_heard_by_the_incident_of_its_group(scope: Scope) -> None:
    """Its own incident closed without its resolve; another series of the group has opened the next one."""
    scope.take(says(instance="a"))
    scope.close("inc1", at=100)
    scope.take(says(instance="b", at=200), at=200)
    scope.take(says(instance="a"), at=210)
    assert scope.alert_mails("inc2") == ["firing"]
    assert not scope.take(says(instance="a"), at=220).mail


def test_nothing_moves_out_of_an_incident_whose_action_is_in_flight(scope: Scope) -> None:
    """Fault 22."""
    scope.take(says(service="web"))
    scope.take(says(service="app"), at=10)
    scope.head = replace(scope.head, acting={"inc2-a1": "inc2"})
    scope.take(says(service="api", at=40), at=40)
    assert "moved_out" not in kinds(scope, "inc2")
    assert scope.incidents["inc1"].merged_into == "inc2"


def test_clocks_of_two_sources_that_differ_correlate_as_if_they_did_not(scope: Scope) -> None:
    """Fault 6: order inside one source only; what belongs together is told by when it came."""
    scope.take(says(service="web", at=-120), at=0)
    scope.take(says(service="api", at=160), at=40)
    assert list(scope.incidents) == ["inc1"]


# -- held and silent -------------------------------------------------------------------------------------------------


def test_what_a_rule_holds_has_no_execution_until_the_hold_is_over(scope: Scope) -> None:
    (opening,) = scope.take(says("flaky")).openings
    assert (opening.incident.generation, opening.incident.noise) == (0, True)
    assert (opening.pages, opening.not_before) == (True, later(45))
    assert opening.incident.clocks["hold"] == later(45)
    line = opening.lines[-1]
    assert line.text == "the page is held until 10:00:45 UTC at most"
    assert line.reason == "rule flaky waits: such alerts often clear by themselves"


def test_a_hold_is_never_longer_than_the_limit() -> None:
    scope = Scope(replace(the_team(), timing=Timing(hold_limit=30)))
    assert scope.take(says("flaky")).openings[0].not_before == later(30)


def test_a_held_alert_that_clears_never_pages_and_says_whom_it_would_have(scope: Scope) -> None:
    scope.take(says("flaky"))
    scope.take(says("flaky", status=R, at=20), at=20)
    settled = scope.settled["inc1"]
    assert (settled.page, settled.incident.state) == ("never", State.RESOLVED)
    assert settled.lines[-1].text == "not paged: payments would have been"
    assert "inc1" not in scope.head.incidents


def test_an_agreeing_alert_ends_the_hold(scope: Scope) -> None:
    scope.take(says("flaky"))
    admission = scope.take(says("errors", at=10), at=10)
    assert (admission.promoted, scope.settled["inc1"].page) == (("inc1",), "now")
    assert scope.incidents["inc1"].generation == 1
    assert "hold" not in scope.incidents["inc1"].clocks


def test_an_agreeing_alert_in_the_same_batch_does_so_too(scope: Scope) -> None:
    admission = scope.take(says("flaky", at=0), says("errors", at=10))
    assert (admission.silent, admission.promoted, scope.settled["inc1"].page) == (("inc1",), ("inc1",), "now")


@pytest.mark.parametrize(
    ("agrees", "promoted"),
    [
        ({"severity": Severity.SEV4}, False),  # a ticket is no second opinion
        ({"title": "flaky too"}, False),  # it is held itself
        ({"title": "flaky too", "severity": Severity.SEV1}, True),  # worse: the hold ends at once
        ({"service": "orders"}, True),  # what it depends on fails as well
    ],
)
def test_what_agrees_with_a_held_alert(scope: Scope, agrees: dict[str, Any], promoted: bool) -> None:
    scope.take(says("flaky"))
    scope.take(says(**{"title": "errors", "at": 10, **agrees}), at=10)
    assert bool(scope.incidents["inc1"].generation) is promoted
    assert list(scope.incidents) == ["inc1"]


def test_a_held_alert_that_gets_worse_itself_is_held_no_longer(scope: Scope) -> None:
    scope.take(says("flaky", severity=Severity.SEV2))
    scope.take(says("flaky", severity=Severity.SEV1), at=10)
    assert (scope.settled["inc1"].page, scope.incidents["inc1"].severity) == ("now", Severity.SEV1)


def test_a_root_that_comes_last_takes_a_held_incident_over(scope: Scope) -> None:
    """One fault, one page, and that to the root's owner."""
    scope.take(says("flaky", service="api"))
    scope.take(says(service="db", at=10), at=10)
    incident = scope.incidents["inc1"]
    assert (incident.service, incident.owner, scope.settled["inc1"].page) == ("db", "storage", "now")
    assert incident.escalation
    assert incident.escalation.group == "storage"


def test_held_incidents_are_moved_like_others_and_never_page_then(scope: Scope) -> None:
    scope.take(says(service="web"))
    scope.take(says("flaky", service="app"), at=5)
    admission = scope.take(says(service="api", at=10), at=10)
    assert "inc2" in admission.silent
    ended = scope.settled["inc2"]
    assert (ended.page, ended.incident.merged_into, ended.incident.state) == ("never", "inc1", State.RESOLVED)


def test_a_playbook_s_hold_keeps_the_execution(scope: Scope) -> None:
    held = scope.observe(says(), hold_seconds=120, hold_reason="playbook p may fix it unattended")
    (opening,) = scope.take(held).openings
    assert (opening.incident.generation, opening.not_before) == (1, later(120))
    assert opening.lines[-1].reason == "playbook p may fix it unattended"


def test_noise_is_recorded_by_itself_and_ends_by_itself(scope: Scope) -> None:
    scope.take(says("errors"))
    (opening,) = scope.take(says("noisy"), at=1).openings
    assert (opening.pages, opening.incident.noise, opening.incident.generation) == (False, True, 0)
    scope.take(says("noisy", status=R, at=5), at=5)
    assert scope.incidents["inc2"].state is State.RESOLVED
    assert [line.text for line in scope.settled["inc2"].lines][-1] == "the incident is resolved"


@pytest.mark.parametrize(("severity", "page"), [(Severity.SEV1, "now"), (Severity.SEV4, "")])
def test_noise_that_is_joined_by_what_is_none_gets_an_execution(scope: Scope, severity: Severity, page: str) -> None:
    scope.take(scope.observe(says(instance="a"), noise=True, pages=False))
    scope.take(says(instance="b", severity=severity, at=1), at=1)
    assert (scope.incidents["inc1"].generation, scope.incidents["inc1"].noise) == (1, False)
    assert scope.settled["inc1"].page == page


def test_noise_that_joins_an_incident_makes_it_no_worse(scope: Scope) -> None:
    scope.take(says(instance="a", severity=Severity.SEV3))
    scope.take(scope.observe(says(instance="b", severity=Severity.SEV1), noise=True, pages=False), at=1)
    assert scope.mail["inc1"][0].detail["noise"] == "yes"
    assert scope.head.incidents["inc1"].severity is Severity.SEV3


def test_what_waited_too_long_in_a_queue_pages_when_it_is_said_afresh(scope: Scope) -> None:
    """Fault 19: a redriven alert is recorded as noise; the source's own re-send is none."""
    scope.take(scope.observe(says(), noise=True, pages=False))
    admission = scope.take(says(at=0), at=60)
    assert admission.promoted == ("inc1",)
    assert scope.settled["inc1"].page == "now"


# -- a full head -----------------------------------------------------------------------------------------------------


def fill(scope: Scope, at: float) -> None:
    scope.take(*(says(service=f"s{n}", severity=Severity.SEV4, at=at) for n in range(GROUPS_KEPT)), at=at)


def test_a_series_whose_group_fell_off_the_head_goes_on_in_its_incident(scope: Scope) -> None:
    scope.take(says())
    fill(scope, 10)
    assert "inc1" not in scope.head.incidents
    assert not scope.take(says(), at=20).openings
    scope.take(says(status=R, at=30), at=30)
    scope.take(says(at=40), at=40)
    assert scope.alert_mails("inc1") == ["resolved", "firing"]
    assert scope.head.incidents["inc1"] == Member("checkout", later(0), Severity.SEV2)


def test_silent_incidents_that_fell_off_the_head_are_still_decided_by_the_consumer(scope: Scope) -> None:
    scope.take(says("flaky"), says("noisy"))
    fill(scope, 10)
    admission = scope.take(says("flaky", status=R, at=30), says("noisy", status=R, at=30), at=30)
    assert set(admission.silent) == {"inc1", "inc2"}
    assert scope.incidents["inc1"].over
    assert scope.incidents["inc2"].over


def test_held_incidents_come_back_to_the_head_as_what_they_were(scope: Scope) -> None:
    scope.take(says("flaky"), says("noisy"))
    fill(scope, 10)
    scope.take(says("flaky", severity=Severity.SEV2, at=30, instance=""), at=30)
    scope.take(says("noisy", status=R, at=29), says("noisy", at=30), at=30)
    assert scope.head.incidents["inc2"].noise


def test_a_series_of_one_group_that_fell_off_goes_on_in_its_incident_that_has_others(scope: Scope) -> None:
    scope.take(says("errors"))
    scope.take(says("latency", at=100), at=100)
    scope.take(*(says(service=f"s{n}", severity=Severity.SEV4) for n in range(GROUPS_KEPT - 1)), at=101)
    assert ("checkout@0115T100000" in scope.head.groups, "inc1" in scope.head.incidents) == (False, True)
    scope.take(says("errors", status=R, at=102), at=102)
    assert scope.alert_mails("inc1") == ["firing", "resolved"]


def test_what_falls_off_the_head_in_the_batch_that_opens_it_is_not_lost(scope: Scope) -> None:
    flood = [says(service=f"s{n}", severity=Severity.SEV4, at=1) for n in range(GROUPS_KEPT)]
    scope.take(says("flaky", at=0), *flood, says("flaky", status=R, at=2), says("flaky", at=3))
    first = scope.assigned["d1"]
    assert scope.alert_mails(first) == ["resolved", "firing"]
    assert (scope.incidents[first].over, first in scope.head.incidents) == (False, True)


# -- whatever comes, in whatever order --------------------------------------------------------------------------------

SERVICES = ("web", "app", "api", "db", "orders")
TITLES = ("errors", "flaky", "noisy")
MESSAGES = st.lists(
    st.tuples(st.sampled_from(SERVICES), st.sampled_from(TITLES), st.sampled_from([F, F, R, U]), st.integers(0, 6)),
    min_size=1,
    max_size=10,
)


@st.composite
def traffic(draw: st.DrawFn, messages: st.SearchStrategy) -> list[list[Alert]]:
    """The messages as often as one likes, in any order, in batches of any size."""
    once = draw(messages)
    again = draw(st.lists(st.sampled_from(once), max_size=5))
    alerts = [
        says(title, status, at, service=service) for service, title, status, at in draw(st.permutations(once + again))
    ]
    cuts = sorted(draw(st.sets(st.integers(1, len(alerts)), max_size=4)))
    return [batch for a, b in zip([0, *cuts], [*cuts, len(alerts)], strict=True) if (batch := alerts[a:b])]


def told_to_fire(scope: Scope, incident: Incident) -> set[str]:
    """What the incident believes to fire, from its opening and its mail (what moved in, it reads from the table)."""
    opening = scope.openings[incident.id]
    firing = {f: s.group for f, s in opening.incident.firing.items()}
    table = {f: s.group for f, s in scope.series.items() if s.status is F}
    for mail in scope.mail.get(incident.id, []):
        if mail.kind is MailKind.MOVED_IN:
            firing |= {f: group for f, group in table.items() if group == mail.argument}
        elif mail.kind is MailKind.MOVED_OUT:
            firing = {f: group for f, group in firing.items() if group != mail.argument}
        elif mail.kind is MailKind.ALERT and mail.detail["status"] == "firing":
            firing[mail.argument] = mail.detail["group"]
        elif mail.kind is MailKind.ALERT:
            firing.pop(mail.argument, None)
    return set(firing)


def last_words(batches: list[list[Alert]]) -> Mapping[str, Status]:
    told: dict[str, list[tuple[Any, bool, Status]]] = {}
    for alert in (a for batch in batches for a in batch):
        known = told.setdefault(alert.fingerprint, [])
        known += [(alert.occurred_at, alert.status is R, alert.status)] if alert.status is not U else []
    return {f: max(words)[2] if words else U for f, words in told.items()}


@settings(max_examples=300)
@given(batches=traffic(MESSAGES), data=st.data())
def test_every_series_ends_as_its_last_word_in_exactly_one_incident_that_knows(
    batches: list[list[Alert]], data: st.DataObject
) -> None:
    scope = Scope(the_team())
    for second, batch in enumerate(batches):
        open_before = set(scope.head.incidents)
        admission = scope.take(*batch, at=second)
        opened = {opening.incident.id for opening in admission.openings}
        assert set(admission.mail) <= open_before | opened  # nobody else is told
        ready = [i for i in scope.head.incidents if not told_to_fire(scope, scope.incidents[i])]
        if closes := data.draw(st.sampled_from(["", *ready])):
            scope.close(closes)
    assert {f: s.status for f, s in scope.series.items()} == last_words(batches)
    for series in scope.series.values():
        assert series.status is not F or not scope.home(series).over
    for incident in (scope.incidents[i] for i in scope.head.incidents):
        belongs = {f for f, s in scope.series.items() if s.status is F and scope.home(s).id == incident.id}
        assert told_to_fire(scope, incident) == belongs


@settings(max_examples=200)
@given(batches=traffic(MESSAGES))
def test_the_same_deliveries_again_do_nothing(batches: list[list[Alert]]) -> None:
    scope = Scope(the_team())
    for batch in batches:
        observations = [scope.observe(alert) for alert in batch]
        scope.take(*observations)
        again = scope.decide(observations)
        assert (again.series, again.openings, again.mail, again.head) == ((), (), {}, scope.head)


FIRINGS = st.lists(
    st.tuples(st.sampled_from(SERVICES), st.sampled_from(["errors", "latency"]), st.just(F), st.integers(0, 6)),
    min_size=1,
    max_size=8,
)


def partition(batches: list[list[Alert]]) -> set[frozenset[str]]:
    scope = Scope(the_team())
    for batch in batches:
        scope.take(*batch)
    found: dict[str, set[str]] = {}
    for fingerprint, series in scope.series.items():
        found.setdefault(scope.home(series).id, set()).add(fingerprint)
    return {frozenset(members) for members in found.values()}


@settings(max_examples=200)
@given(batches=traffic(FIRINGS))
def test_order_multiplicity_and_batches_do_not_decide_what_belongs_together(batches: list[list[Alert]]) -> None:
    straight = sorted((a for batch in batches for a in batch), key=lambda a: (a.service, a.title, a.occurred_at))
    assert partition(batches) == partition([[alert] for alert in straight])


def test_a_batch_is_one_write_of_a_series_however_often_it_changed(scope: Scope) -> None:
    admission = scope.take(says(at=0), says(status=R, at=1), says(at=2), says(status=R, at=3))
    ((before, series),) = admission.series
    assert (before, series.version, series.status, series.flips) == (None, 1, R, (later(0), later(2)))
    assert scope.alert_mails("inc1") == ["resolved", "firing", "resolved"]


def test_the_head_keeps_no_more_of_long_titles_and_labels_than_fits_it() -> None:
    scope = Scope()
    scope.take(*(says("x" * 2000 + str(n), labels={"az": "y" * 2000 + str(n)}) for n in range(9)))
    (group,) = scope.head.groups.values()
    assert max(map(len, [*group.kinds, *group.places])) < 150
