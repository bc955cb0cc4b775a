"""What does an incident do next, whatever it is told, and is everybody told who must be - and nobody twice?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_bot.domain.advance import advance
from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.deliberation import Look
from incident_bot.domain.incident import Incident, State
from incident_bot.domain.intent import Intent
from incident_bot.domain.lifecycle import MOVES
from incident_bot.domain.mail import Mail, MailKind
from incident_bot.domain.message import Kind
from incident_bot.domain.team import EscalationStep, Group, Team, Timing
from tests.acting import Actor, a_firing, a_page, alert_mail, an_action, paged_and_active
from tests.building import a_group, a_service, a_team, an_incident
from tests.deciding import later

R, U = Status.RESOLVED, Status.UNKNOWN
SEV1, SEV2, SEV3, SEV4 = Severity.SEV1, Severity.SEV2, Severity.SEV3, Severity.SEV4
ACK, RESULT, APPROVAL = MailKind.ACK, MailKind.RESULT, MailKind.APPROVAL
A1 = "inc1-a1"


def two_teams(**changes: Any) -> Team:
    """`checkout` of payments depends on `orders` of payments and on `db` of storage."""
    services = {
        "checkout": a_service(depends_on=("orders", "db")),
        "orders": a_service("orders"),
        "db": a_service("db", owner="storage"),
    }
    night = EscalationStep(("person:grace",), ("pagerduty",))
    groups = {"payments": a_group(), "storage": Group("storage", (night,))}
    return a_team(services=services, groups=groups, **changes)


def held(until: float = 120, incident: Incident | None = None, **changes: Any) -> Actor:
    """An actor whose first page is held for a playbook that may fix it."""
    held_incident = incident or an_incident(
        firing={"v1:errors": a_firing()}, clocks={"stale": later(3600), "hold": later(until)}, **changes
    )
    return Actor(held_incident, a_page(not_before=later(until)))


def helped_by(actor: Actor, outcome: str, text: str = "", purpose: str = "apply", action: str = A1) -> Actor:
    return actor.tell(RESULT, action, actor="release", text=text, outcome=outcome, purpose=purpose)


# -- history 1: acknowledged, then it clears ---------------------------------------------------------------------------


def test_a_page_that_left_makes_it_active_and_waits_for_an_answer() -> None:
    actor = paged_and_active()
    assert (actor.incident.state, actor.incident.pages) == (State.ACTIVE, 1)
    assert actor.incident.clocks["escalate"] == later(300)
    assert actor.said("page") == ["paged ada by pagerduty"]


def test_an_acknowledgement_stops_the_escalation_and_makes_a_commander() -> None:
    actor = paged_and_active().tell(ACK, at=60)
    incident = actor.incident
    assert (incident.acknowledged_by, incident.acknowledged_at, incident.commander) == ("ada", later(60), "ada")
    assert "escalate" not in incident.clocks
    assert incident.clocks["ack"] == later(3660)
    assert [i.reason for i in actor.sent(Kind.ACKNOWLEDGE)] == ["ada acknowledged"]
    actor.wait(3600)
    assert actor.pages == ["first"]


def test_a_source_that_tells_of_an_acknowledgement_commands_nothing() -> None:
    actor = paged_and_active().tell(ACK, at=60, actor="pagerduty")
    assert (actor.incident.acknowledged_by, actor.incident.commander) == ("pagerduty", "")
    assert "escalate" not in actor.incident.clocks
    assert actor.tell(ACK, at=90, actor="grace").incident.commander == "grace"


def test_whoever_acknowledges_later_is_not_made_commander() -> None:
    actor = paged_and_active().tell(ACK, at=60).tell(ACK, at=90, actor="grace")
    assert (actor.incident.acknowledged_by, actor.incident.commander) == ("grace", "ada")
    assert actor.incident.clocks["ack"] == later(3690)
    assert len(actor.sent(Kind.ACKNOWLEDGE)) == 1  # the provider knows already


def test_it_clears_is_verified_stays_quiet_and_closes() -> None:
    actor = paged_and_active().tell(ACK, at=60).hear(alert_mail(status=R), at=100)
    assert (actor.incident.state, actor.incident.mitigated_at) == (State.MITIGATED, later(100))
    assert actor.steps[-1].name == "Verify"
    assert actor.incident.clocks["quiet"] == later(160)
    actor.wait(159)
    assert actor.state == "mitigated"
    actor.wait(160)
    assert actor.state == "resolved"
    assert [step.name for step in actor.steps[-3:]] == ["Verify", "Page", "Close"]
    assert actor.ended
    assert actor.reasons()["the incident is resolved"] == "it stayed quiet"


def test_where_no_source_can_be_asked_nobody_is_and_the_quiet_period_begins_at_once() -> None:
    firing = {"v1:errors": replace(a_firing(), ask="")}
    actor = paged_and_active(firing=firing).hear(alert_mail(status=R, ask=""), at=100)
    assert "Verify" not in [step.name for step in actor.steps]
    assert (actor.incident.clocks["quiet"], actor.incident.cleared) == (later(160), {})
    assert "what was heard last counts" in actor.reasons()["it closes after 60 s without news"]
    assert actor.wait(160).state == "resolved"


@pytest.mark.parametrize("ask", ["", "alarm"], ids=["nobody can be asked", "its source can be asked"])
def test_a_quiet_period_longer_than_the_stale_time_is_not_begun_again_and_again(ask: str) -> None:
    firing = {"v1:errors": replace(a_firing(), ask=ask)}
    actor = paged_and_active(firing=firing, quiet_seconds=9000).tell(ACK, at=60)
    actor.hear(alert_mail(status=R, ask=ask), at=100).wait(9100)
    assert actor.state == "resolved"
    assert actor.said().count("it closes after 9000 s without news") == (not ask)


def test_where_one_of_two_sources_can_be_asked_it_is() -> None:
    firing = {"v1:errors": replace(a_firing(), ask=""), "v1:disk": a_firing("disk")}
    actor = paged_and_active(firing=firing)
    actor.hear(alert_mail(status=R, ask=""), alert_mail("disk", status=R), at=100)
    assert actor.steps[-1].name == "Verify"


def test_what_is_temporary_is_lifted_after_the_end_and_open_requests_are_void() -> None:
    lift = later(600)
    actions = {"inc1-a1": an_action("applied"), "inc1-a2": an_action()}
    actor = paged_and_active(actions=actions, clocks={"lift:inc1-a1": lift, "ack": lift, "stale": later(3600)})
    actor.hear(alert_mail(status=R), at=100).wait(170)
    assert (actor.state, actor.incident.clocks) == ("resolved", {"lift:inc1-a1": lift})
    assert actor.incident.actions["inc1-a2"].state == "expired"
    assert (actor.steps[-1].name, actor.ended) == ("Close", False), "drafted, and it stays for the lift"


def test_it_does_not_close_while_a_remediation_runs_or_more_mail_is_unread() -> None:
    quiet = an_incident(state=State.MITIGATED, clocks={"quiet": later(0)}, actions={A1: an_action("running")})
    assert Actor(quiet).run().incident.clocks["quiet"] == later(60)
    unread = advance(replace(quiet, actions={}), (), Look(more=True), a_team(), later(0))
    assert (unread.incident.state, unread.incident.clocks["quiet"]) == (State.MITIGATED, later(0))


def test_what_fires_by_the_table_after_all_does_not_close() -> None:
    """An incident of more series than it lists has the table looked at when it is to close."""
    quiet = an_incident(state=State.MITIGATED, many=True, clocks={"quiet": later(0)})
    again = advance(quiet, (), Look(everything={"v1:disk": a_firing("disk")}), a_team(), later(0))
    assert (again.incident.state, "quiet" in again.incident.clocks) == (State.ACTIVE, False)
    ended = advance(quiet, (), Look(everything={}), a_team(), later(0))
    assert ended.incident.state is State.RESOLVED


def test_a_re_fire_inside_the_quiet_period_pages_nobody_again() -> None:
    actor = paged_and_active().tell(ACK, at=60).hear(alert_mail(status=R), at=100).hear(alert_mail(), at=130)
    assert actor.state == "active"
    assert not {"quiet", "verify", "escalate"} & set(actor.incident.clocks)
    actor.wait(3000)
    assert actor.pages == ["first"]
    assert actor.state == "active"


def test_a_re_fire_that_nobody_acknowledged_goes_on_escalating() -> None:
    actor = paged_and_active().hear(alert_mail(status=R), at=100).hear(alert_mail(), at=130)
    assert actor.incident.clocks["escalate"] == later(430)
    assert actor.pages == ["first"]


def test_a_source_that_says_otherwise_is_believed() -> None:
    actor = paged_and_active()
    actor.source_fires = {"v1:errors"}
    actor.hear(alert_mail(status=R), at=100)
    assert (actor.incident.state, set(actor.incident.firing)) == (State.ACTIVE, {"v1:errors"})


def test_a_person_s_word_skips_the_quiet_period_but_not_the_source() -> None:
    assert paged_and_active().tell(MailKind.RESOLVE, at=50).incident.state is State.RESOLVED
    believed = paged_and_active()
    believed.source_fires = {"v1:errors"}
    assert believed.tell(MailKind.RESOLVE, at=50).incident.state is State.ACTIVE


def test_an_alert_after_a_person_s_word_takes_it_back() -> None:
    actor = paged_and_active()
    actor.post(MailKind.RESOLVE)
    actor.hear(alert_mail("latency", new=True))
    assert (actor.incident.resolve_asked_by, actor.incident.state) == ("", State.ACTIVE)


def test_a_ticket_is_worked_on_without_a_page() -> None:
    actor = Actor(an_incident(severity=SEV4, firing={"v1:errors": a_firing()})).tell(ACK)
    assert (actor.incident.state, actor.pages, actor.sent(Kind.ACKNOWLEDGE)) == (State.ACTIVE, [], [])


# -- escalation --------------------------------------------------------------------------------------------------------


def test_nobody_answers_each_step_is_paged_each_round_and_then_the_fallback_and_then_no_more() -> None:
    group = replace(a_group(), rounds=2)
    actor = paged_and_active(a_team(groups={"payments": group})).wait(3500)
    assert actor.pages == ["first", "escalation", "escalation", "escalation", "escalation"]
    notified = [i.steps[0].notify[0] if i.steps else "the fallback" for i in actor.intents.values()]
    assert notified == ["rota:payments", "person:grace", "rota:payments", "person:grace", "the fallback"]
    assert "escalate" not in actor.incident.clocks


def test_who_cannot_be_reached_is_not_waited_for_without_end() -> None:
    actor = Actor(an_incident(firing={"v1:errors": a_firing()}), a_page())
    actor.providers_down = True
    actor.run()
    assert actor.incident.clocks["escalate"] == later(300)
    actor.wait(300)
    assert "escalation" in [i.purpose for i in actor.intents.values()]


def test_nobody_is_escalated_to_while_nothing_fires() -> None:
    actor = paged_and_active()
    actor.team = replace(actor.team, timing=replace(actor.team.timing, quiet_period=900))
    actor.hear(alert_mail(status=R), at=100).wait(900)
    assert actor.pages == ["first"]
    assert "escalate" not in actor.incident.clocks


def test_an_escalation_that_was_due_meanwhile_waits_while_nothing_fires() -> None:
    incident = an_incident(state=State.MITIGATED, pages=1, clocks={"escalate": later(5), "quiet": later(60)})
    actor = Actor(incident, a_page(state="sent", attempts=1)).wait(10)
    assert actor.reasons()["no escalation"] == "nothing fires; it only waits for its quiet period"


def test_a_page_that_left_late_starts_no_escalation_of_what_is_acknowledged() -> None:
    actor = paged_and_active().tell(ACK, at=60).tell(MailKind.PAGED, "page-first", at=61, outcome="sent", to="ada")
    assert "escalate" not in actor.incident.clocks


def test_a_message_that_wakes_nobody_counts_as_no_page() -> None:
    update = a_page("update-1", kind=Kind.UPDATE, purpose="update")
    actor = Actor(an_incident(firing={"v1:errors": a_firing()}), update).run()
    assert (actor.incident.pages, actor.incident.state) == (0, State.TRIAGED)
    assert actor.said("page") == ["told ada by pagerduty"]
    assert "escalate" not in actor.incident.clocks


def test_an_expired_acknowledgement_begins_all_anew() -> None:
    """Trap 5: a forgotten acknowledgement must not swallow an outage."""
    actor = paged_and_active().tell(ACK, at=60)
    actor.source_fires = {"v1:errors"}
    actor.wait(3660)
    assert actor.pages == ["first", "escalation"]
    assert (actor.incident.acknowledged_at, actor.incident.acknowledged_by) == (None, "")
    assert actor.intents[next(reversed(actor.intents))].reason == (
        "the acknowledgement of ada expired and it still fires"
    )
    actor.wait(3960)
    assert actor.pages == ["first", "escalation", "escalation"]


def test_an_acknowledgement_that_expires_while_nothing_fires_is_forgotten_without_a_page() -> None:
    team = a_team(groups={"payments": replace(a_group(), ack_expires_seconds=50)})
    actor = paged_and_active(team).tell(ACK, at=60).hear(alert_mail(status=R), at=100).wait(115)
    assert (actor.pages, actor.incident.acknowledged_at) == (["first"], None)
    actor.hear(alert_mail(), at=120).wait(420)
    assert actor.pages == ["first", "escalation"]  # it fires again, and nobody works on it


def test_the_acknowledgement_of_a_ticket_expires_without_a_page() -> None:
    actor = Actor(an_incident(severity=SEV4, firing={"v1:errors": a_firing()})).tell(ACK).wait(3600)
    assert actor.pages == []
    assert actor.reasons()["nobody is paged for that"] == "the acknowledgement of ada expired; it is a ticket"


# -- getting worse -----------------------------------------------------------------------------------------------------


def test_an_acknowledgement_does_not_silence_a_worse_alert() -> None:
    """Trap 25."""
    actor = paged_and_active().tell(ACK, at=60).hear(alert_mail("latency", severity=SEV1, new=True), at=90)
    assert actor.pages == ["first", "worsened"]
    assert (actor.incident.severity, actor.incident.acknowledged_at) == (SEV1, None)
    assert "ack" not in actor.incident.clocks
    assert actor.incident.clocks["escalate"] == later(390)
    assert actor.sent(Kind.TRIGGER)[-1].severity is SEV1


@pytest.mark.parametrize(
    ("before", "mail", "pages"),
    [
        (SEV2, alert_mail("latency", severity=SEV2, new=True), []),
        (SEV2, alert_mail("latency", severity=SEV3, new=True), []),
        (SEV4, alert_mail("latency", severity=SEV3, new=True), []),
        (SEV4, alert_mail("errors", severity=SEV2), ["worsened"]),
        (SEV4, alert_mail("latency", severity=SEV1, new=True, noise=True), []),
    ],
    ids=["as bad", "less bad", "a worse ticket", "its own series, a ticket before", "noise"],
)
def test_what_is_worse(before: Severity, mail: Any, pages: list[str]) -> None:
    intents = [a_page(state="sent", attempts=1)] if before is SEV2 else []
    actor = Actor(an_incident(severity=before, firing={"v1:errors": a_firing()}), *intents).hear(mail)
    assert actor.pages[len(intents) :] == pages


def test_what_was_worse_and_is_over_already_counts_and_wakes_nobody() -> None:
    late = alert_mail("latency", Status.RESOLVED, severity=SEV1, new=True)
    actor = paged_and_active().hear(replace(late, detail={**late.detail, "late": "yes"}), at=60)
    assert (actor.pages, actor.incident.severity, actor.incident.alerts) == (["first"], SEV1, 2)
    assert (actor.incident.state, set(actor.incident.firing)) == (State.ACTIVE, {"v1:errors"})


def test_two_steps_down_at_once_are_one_page() -> None:
    actor = Actor(an_incident(severity=SEV4, firing={"v1:errors": a_firing()}))
    actor.hear(alert_mail("a", severity=SEV2, new=True), alert_mail("b", severity=SEV1, new=True))
    assert actor.pages == ["worsened"]
    assert actor.sent(Kind.TRIGGER)[0].severity is SEV1


def test_a_first_page_that_has_not_left_leaves_as_bad_as_it_is_now() -> None:
    actor = Actor(an_incident(firing={"v1:errors": a_firing()}), a_page()).hear(
        alert_mail("b", severity=SEV1, new=True)
    )
    assert actor.pages == ["first"]
    assert actor.sent(Kind.TRIGGER)[0].severity is SEV1


def test_getting_worse_ends_a_hold_at_once() -> None:
    actor = held().hear(alert_mail("b", severity=SEV1, new=True), at=10)
    assert actor.pages == ["first"]
    assert actor.sent(Kind.TRIGGER)[0].severity is SEV1
    assert "hold" not in actor.incident.clocks


def test_a_worse_alert_and_an_acknowledgement_of_the_lesser_one_cross_and_it_still_pages() -> None:
    actor = paged_and_active()
    actor.deliver(alert_mail("b", severity=SEV1, new=True))
    actor.tell(ACK)
    assert actor.pages == ["first", "worsened"]


def a_ticket(**changes: Any) -> Actor:
    """An actor of a Sev2 incident that wakes nobody: its service touches no customer, the `orders` it needs does."""
    services = {"batch": a_service("batch", tier=3, depends_on=("orders",)), "orders": a_service("orders")}
    firing = {"v1:errors": a_firing(service="batch")}
    incident = an_incident(service="batch", firing=firing, clocks={"stale": later(3600)}, **changes)
    return Actor(incident, team=a_team(services=services)).run()


WAKES = alert_mail("down", service="orders", new=True, pages=True)
ROOTED = Mail(MailKind.ROOT, later(0), "orders", "correlation", "batch depends on it")


@pytest.mark.parametrize("mails", [(WAKES,), (ROOTED, WAKES)], ids=["it joins", "it joins as the root"])
def test_an_alert_that_wakes_people_is_not_lost_in_a_ticket(mails: tuple[Mail, ...]) -> None:
    """As bad as the ticket by its number, it would have paged by itself: joining an incident must not silence it."""
    actor = a_ticket().hear(*mails, at=60)
    assert actor.pages == ["first"]
    assert actor.incident.clocks["escalate"] == later(360)
    assert actor.hear(alert_mail("too", service="orders", new=True, pages=True), at=90).pages == ["first"]


def test_who_took_a_ticket_on_is_paged_for_what_wakes_people() -> None:
    actor = a_ticket().tell(ACK, at=10).hear(WAKES, at=60)
    assert (actor.pages, actor.incident.acknowledged_by) == (["first"], "")


def test_what_joins_while_the_page_is_held_waits_with_it() -> None:
    assert held().hear(alert_mail("down", new=True, pages=True), at=10).pages == []


def test_what_joins_after_a_held_page_was_acknowledged_pages_nobody() -> None:
    assert held().tell(ACK, at=5).hear(alert_mail("down", new=True, pages=True), at=10).pages == []


def test_what_moves_into_a_ticket_and_wakes_people_is_not_lost_there() -> None:
    """Its own incident's page is closed as merged: somebody has to hear of it here."""
    actor = a_ticket()
    actor.table = {"v1:down": a_firing("down", service="orders")}
    actor.tell(MailKind.MOVED_IN, "orders/down", at=60, **{"from": "inc2"})
    assert actor.pages == ["first"]


@pytest.mark.parametrize(("playbooks", "turn"), [("p", True), ("", False)], ids=["one fits", "none fits"])
def test_another_alert_that_a_playbook_fits_lets_it_have_its_turn(playbooks: str, turn: bool) -> None:
    heard = paged_and_active(a_team()).hear(alert_mail("b", new=True, playbooks=playbooks))
    assert ("Propose" in [step.name for step in heard.steps]) == turn


def test_an_alert_that_got_worse_lets_its_playbook_have_its_turn() -> None:
    heard = paged_and_active(a_team()).hear(alert_mail(severity=SEV1, playbooks="p"))
    assert "Propose" in [step.name for step in heard.steps]


# -- held pages --------------------------------------------------------------------------------------------------------


def test_a_held_page_goes_out_when_its_hold_is_over() -> None:
    actor = held().run().wait(119)
    assert actor.pages == []
    assert actor.wait(120).pages == ["first"]
    assert actor.reasons()["the held page goes out now"] == "its hold is over and the alert still fires"


def test_a_held_page_of_what_clears_never_leaves_and_says_who_would_have_been_woken() -> None:
    """History 3."""
    actor = held().hear(alert_mail(status=R), at=30).wait(300)
    assert (actor.pages, actor.incident.state) == ([], State.RESOLVED)
    assert actor.reasons()["not paged: rota:payments would have been"] == "no alert of it fires any more"


def test_what_cleared_and_fires_again_is_paged_after_all() -> None:
    actor = held().hear(alert_mail(status=R), at=30).hear(alert_mail(), at=50)
    assert actor.pages == ["first"]


def test_an_acknowledged_incident_is_not_paged_when_it_fires_again() -> None:
    actor = held().tell(ACK, at=10).hear(alert_mail(status=R), at=30).hear(alert_mail(), at=50)
    assert actor.pages == []


def test_an_acknowledgement_is_answer_enough_for_a_held_page() -> None:
    actor = held().tell(ACK, at=10).wait(300)
    assert actor.pages == []
    assert actor.reasons()["not paged: rota:payments would have been"] == "ada acknowledged"


def test_a_page_that_is_being_sent_is_not_taken_back_by_an_acknowledgement() -> None:
    leased = a_page(attempts=1, lease_until=later(10))
    actor = Actor(an_incident(firing={"v1:errors": a_firing()}), leased).tell(ACK)
    assert actor.intents["page-first"].state == "pending"


@pytest.mark.parametrize(
    ("outcome", "pages"),
    [
        ("helped", []),
        ("undone", ["first"]),
        ("failed", ["first"]),
        ("partial", ["first"]),
        ("suspended", ["first"]),
        ("refused", ["first"]),
        ("busy", ["first"]),
    ],
)
def test_a_held_page_ends_on_anything_but_help(outcome: str, pages: list[str]) -> None:
    actor = helped_by(held(actions={A1: an_action("running")}), outcome, "what is applied, and how to undo it")
    assert actor.pages == pages
    if pages and outcome != "busy":
        assert actor.sent(Kind.TRIGGER)[0].text == "what is applied, and how to undo it"


def test_help_that_does_not_show_in_time_pages() -> None:
    """Its check is content, but the alert fires on: after the hold it is a person's business."""
    assert helped_by(held(actions={A1: an_action("running")}), "helped").wait(120).pages == ["first"]


def test_a_result_that_does_not_come_in_time_pages() -> None:
    """History 4."""
    assert held(actions={A1: an_action("running")}).run().wait(120).pages == ["first"]


def test_what_was_quiet_while_a_remediation_ran_closes_soon_after_its_result() -> None:
    quiet = an_incident(state=State.MITIGATED, clocks={"quiet": later(5)}, actions={A1: an_action("running")})
    actor = Actor(quiet, team=a_team(timing=Timing(quiet_period=10))).wait(5)
    assert helped_by(actor, "helped").incident.clocks["quiet"] <= later(15)


# -- history 2: a cascade whose root comes last ------------------------------------------------------------------------


def rerooted(actor: Actor, root: str = "db", at: float = 40) -> Actor:
    return actor.tell(MailKind.ROOT, root, at=at, actor="correlation", text=f"checkout depends on {root}")


def test_before_an_acknowledgement_the_root_s_owner_is_paged_once() -> None:
    actor = rerooted(paged_and_active(two_teams()))
    assert (actor.incident.service, actor.incident.owner) == ("db", "storage")
    assert actor.pages == ["first", "reassigned"]
    assert actor.sent(Kind.TRIGGER)[-1].steps[0].notify == ("person:grace",)
    assert actor.incident.clocks["escalate"] == later(340)
    assert rerooted(actor, at=50).pages == ["first", "reassigned"]


@pytest.mark.parametrize(
    ("storage", "at", "pages", "reason"),
    [
        ({}, 40, ["first"], "the same rota answers by the same pager: it was woken for this incident"),
        ({}, 80, ["first", "reassigned"], "what is found that late may be another fault"),
        ({"pager": {"pagerduty": "channels/pagerduty/storage"}}, 40, ["first", "reassigned"], "another pager rings"),
        (
            {"steps": a_group().steps[1:]},
            40,
            ["first", "reassigned"],
            "grace would have been next, but was not woken yet",
        ),
    ],
)
def test_a_root_of_another_team_wakes_nobody_twice(
    storage: dict[str, Any], at: float, pages: list[str], reason: str
) -> None:
    team = two_teams()
    groups = {**team.groups, "storage": replace(a_group(), name="storage", **storage)}
    actor = rerooted(paged_and_active(replace(team, groups=groups)), at=at)
    assert (actor.incident.owner, actor.pages) == ("storage", pages), reason
    assert len(actor.sent(Kind.UPDATE)) == (pages == ["first"]), "who is not woken is told"


def test_a_root_of_another_team_pages_whom_a_failed_page_did_not_wake() -> None:
    team = two_teams()
    actor = paged_and_active(replace(team, groups={**team.groups, "storage": replace(a_group(), name="storage")}))
    actor.intents = {name: replace(intent, state="failed") for name, intent in actor.intents.items()}
    assert rerooted(actor).pages == ["reassigned"]


def test_after_an_acknowledgement_the_root_s_owner_is_only_told() -> None:
    actor = rerooted(paged_and_active(two_teams()).tell(ACK, at=20))
    assert actor.pages == ["first"]
    (update,) = actor.sent(Kind.UPDATE)
    assert (update.group, update.reason) == ("storage", "the probable root is db of storage")


def test_a_held_page_waits_on_for_the_root_s_owner() -> None:
    actor = held()
    actor.team = two_teams()
    rerooted(actor).wait(119)
    assert actor.pages == []
    actor.wait(120)
    assert [i.steps[0].notify for i in actor.sent(Kind.TRIGGER)] == [("person:grace",)]


def test_a_root_of_the_same_team_pages_nobody() -> None:
    actor = rerooted(paged_and_active(two_teams()), "orders")
    assert (actor.incident.service, actor.pages) == ("orders", ["first"])


def test_a_root_of_a_ticket_pages_nobody() -> None:
    actor = Actor(an_incident(severity=SEV4, firing={"v1:errors": a_firing()}), team=two_teams())
    assert rerooted(actor).pages == []
    assert actor.incident.owner == "storage"


def test_a_root_nobody_configured_is_the_default_team_s() -> None:
    assert rerooted(paged_and_active(two_teams()), "mystery").incident.owner == "payments"


def moved_away(actor: Actor, at: float = 40) -> Actor:
    return actor.tell(MailKind.MOVED_OUT, "checkout/errors", at=at, actor="correlation", to="inc9", emptied="yes")


def test_an_emptied_incident_ends_as_merged_and_its_page_is_closed() -> None:
    waiting = {A1: an_action(), "inc1-a2": an_action("busy")}
    actor = moved_away(paged_and_active(actions=waiting))
    incident = actor.incident
    assert (incident.state, incident.merged_into, incident.firing) == (State.RESOLVED, "inc9", {})
    assert {action.state for action in incident.actions.values()} == {"expired"}
    assert [i.reason for i in actor.sent(Kind.RESOLVE)] == ["merged into inc9"]
    assert actor.ended


def test_an_emptied_incident_whose_page_is_held_pages_nobody_and_closes_nothing() -> None:
    actor = moved_away(held()).wait(300)
    assert (actor.pages, actor.sent(Kind.RESOLVE)) == ([], [])
    assert actor.reasons()["not paged: rota:payments would have been"] == "merged into inc9"


def test_what_a_merged_incident_has_in_force_is_lifted_in_its_time() -> None:
    actor = paged_and_active(actions={A1: an_action("running", lift_after_seconds=600)})
    moved_away(helped_by(actor, "helped"))
    assert not actor.ended
    actor.wait(600)
    assert (actor.steps[-1].name, actor.steps[-1].purpose) == ("Remediate", "lift")
    helped_by(actor, "lifted", purpose="lift")
    assert actor.ended


def test_a_merge_after_the_end_only_leaves_its_line() -> None:
    actor = Actor(an_incident(state=State.POSTMORTEM, resolved_at=later(0)))
    moved_away(actor)
    assert (actor.incident.state, actor.incident.merged_into) == (State.POSTMORTEM, "")


def test_a_group_that_leaves_others_behind_ends_nothing() -> None:
    firing = {"v1:errors": a_firing(), "v1:b": a_firing("b")}
    actor = paged_and_active(firing=firing).tell(MailKind.MOVED_OUT, "checkout/b", to="inc9")
    assert set(actor.incident.firing) == {"v1:errors"}
    actor.tell(MailKind.MOVED_OUT, "checkout/errors", to="inc9")
    assert actor.state == "mitigated"


def moved_here(actor: Actor, severity: Severity = SEV2, at: float = 50) -> Actor:
    actor.table = {"v1:b": a_firing("b", severity=severity)}
    actor.at(at)
    actor.post(MailKind.MOVED_IN, "checkout/b", actor="correlation", **{"from": "inc9"})
    return actor.run()


def test_what_moves_in_fires_here() -> None:
    actor = moved_here(paged_and_active())
    assert (set(actor.incident.firing), actor.incident.alerts, actor.pages) == ({"v1:errors", "v1:b"}, 2, ["first"])


def test_what_moves_in_and_is_worse_pages() -> None:
    """The page of the incident it comes from is closed: nobody would know."""
    actor = moved_here(paged_and_active().tell(ACK, at=10), SEV1)
    assert (actor.incident.severity, actor.pages) == (SEV1, ["first", "worsened"])


def test_what_moves_in_while_it_was_quiet_makes_it_active() -> None:
    actor = moved_here(paged_and_active().hear(alert_mail(status=R), at=20))
    assert actor.state == "active"
    assert "quiet" not in actor.incident.clocks


def test_what_moved_in_and_has_cleared_meanwhile_changes_nothing() -> None:
    actor = paged_and_active().tell(MailKind.MOVED_IN, "checkout/b")
    assert (set(actor.incident.firing), actor.incident.alerts) == ({"v1:errors"}, 1)


# -- flapping ----------------------------------------------------------------------------------------------------------


def test_a_flapping_series_holds_it_open_for_longer_than_its_rhythm() -> None:
    """Trap 17."""
    actor = paged_and_active().hear(alert_mail(status=R, rhythm=200), at=100)
    assert actor.incident.clocks["quiet"] == later(400)
    assert "flapping: it closes after 300 s without news" in actor.said()
    actor.wait(399)
    assert actor.state == "mitigated"


def test_not_even_flapping_holds_it_open_for_ever() -> None:
    actor = paged_and_active().hear(alert_mail(status=R, rhythm=100000), at=100)
    assert actor.incident.clocks["quiet"] == later(1900)


def test_no_data_says_nothing() -> None:
    actor = paged_and_active()
    before = actor.incident
    actor.hear(alert_mail(status=U))
    assert (actor.incident.firing, actor.incident.state, actor.incident.clocks) == (
        before.firing,
        before.state,
        before.clocks,
    )


# -- more than is listed -----------------------------------------------------------------------------------------------


def test_more_series_than_it_lists_are_looked_up_before_it_is_called_clear() -> None:
    """Fault 23."""
    mails = [alert_mail(f"s{n}", new=True) for n in range(30)]
    actor = paged_and_active().hear(*mails)
    assert (len(actor.incident.firing), actor.incident.many, actor.incident.alerts) == (20, True, 31)
    actor.table = {f"v1:s{n}": a_firing(f"s{n}") for n in range(3)}
    actor.hear(*(alert_mail(f"s{n}", R) for n in range(3, 30)))
    assert (set(actor.incident.firing), actor.incident.many) == (set(actor.table), False)
    actor.table = {}
    actor.hear(*(alert_mail(f"s{n}", R) for n in range(3)))
    assert actor.state == "mitigated"


def test_a_full_box_is_answered_from_the_table() -> None:
    actor = paged_and_active(severity=SEV2)
    actor.table = {"v1:a": a_firing("a", severity=SEV1), "v1:b": a_firing("b")}
    actor.tell(MailKind.EVERYTHING, actor="mailbox")
    assert (set(actor.incident.firing), actor.incident.severity) == ({"v1:a", "v1:b"}, SEV1)
    assert actor.pages == ["first", "worsened"]
    actor.table = {}
    actor.tell(MailKind.EVERYTHING, actor="mailbox")
    assert actor.state == "mitigated"
    actor.table = {"v1:b": a_firing("b")}
    actor.tell(MailKind.EVERYTHING, actor="mailbox")
    assert actor.state == "active"
    assert "quiet" not in actor.incident.clocks


# -- remediation -------------------------------------------------------------------------------------------------------


def decided(actor: Actor, state: str) -> Actor:
    actor.items = {A1: an_action(state, approval="inc1-p1")}
    return actor.tell(APPROVAL, "inc1-p1", text="go", decision="approve", state=state)


def asked(**changes: Any) -> Actor:
    """An actor with a request for approval that expires at 900 s."""
    actor = paged_and_active(actions={A1: an_action()}, clocks={"stale": later(3600), "approval": later(900)})
    actor.incident = replace(actor.incident, **changes)
    return actor


def test_an_approved_action_runs_once() -> None:
    """History 5."""
    actor = decided(asked(), "approved")
    assert (actor.steps[-1].name, actor.steps[-1].action, actor.steps[-1].purpose) == ("Remediate", A1, "apply")
    assert (actor.incident.actions[A1].state, actor.incident.actions[A1].attempts) == ("running", 1)
    assert "approval" not in actor.incident.clocks
    again = decided(actor, "approved")
    assert [step.name for step in again.steps].count("Remediate") == 1


def test_one_of_two_approvals_leaves_the_request_and_its_deadline() -> None:
    actor = decided(asked(), "proposed")
    assert (actor.incident.actions[A1].state, actor.incident.clocks["approval"]) == ("proposed", later(900))


def test_a_rejection_begins_nothing_and_lets_the_next_playbook_have_its_turn() -> None:
    actor = decided(asked(), "rejected")
    assert actor.incident.actions[A1].state == "rejected"
    assert actor.steps[-1].name == "Propose"


def test_an_approval_after_the_end_begins_nothing() -> None:
    actor = decided(asked(state=State.RESOLVED, resolved_at=later(0), clocks={}), "approved")
    assert "Remediate" not in [step.name for step in actor.steps]


def test_a_request_expires_by_its_own_item_only() -> None:
    actor = asked()
    actor.items = {A1: an_action("expired")}
    actor.wait(900)
    assert actor.incident.actions[A1].state == "expired"
    assert actor.reasons()["the request for roll_back expired"] == "nobody decided in time"
    assert "approval" not in actor.incident.clocks
    (told,) = actor.sent(Kind.UPDATE)
    assert told.reason == "the request for roll_back expired: nobody decided in time"
    assert "incidentbot propose inc1 roll_back" in told.text


def test_a_request_that_lives_on_is_looked_at_again() -> None:
    actor = asked().wait(900)
    assert (actor.incident.actions[A1].state, actor.incident.clocks["approval"]) == ("proposed", later(960))


def test_a_person_s_proposal_is_taken_over_with_its_deadline() -> None:
    actor = paged_and_active()
    actor.items = {A1: an_action()}
    actor.tell(MailKind.PROPOSE, A1, at=10, text="it was the deploy")
    assert actor.incident.actions[A1].state == "proposed"
    assert actor.incident.clocks["approval"] == later(910)
    assert "proposes inc1-a1" in actor.said("approval")


def test_people_are_told_that_a_person_s_proposal_waits_for_one_of_them() -> None:
    """Whoever asks may not approve it: without a message nobody else would know that it waits for them."""
    actor = paged_and_active()
    actor.items = {A1: an_action(digest="d" * 64)}
    actor.tell(MailKind.PROPOSE, A1, at=10, text="it was the deploy: version 2 -> 1")
    (asked_for,) = actor.sent(Kind.UPDATE)
    assert asked_for.reason == "ada asks that somebody else approves roll_back"
    assert asked_for.details == {
        "approval": "inc1-p1",
        "digest": "d" * 64,
        "action": "roll_back",
        "target": an_action().target,
        "plan": "it was the deploy: version 2 -> 1",
        "expires_at": "2026-01-15T10:15:10.000000Z",
    }
    assert actor.tell(MailKind.PROPOSE, A1, at=11).sent(Kind.UPDATE) == [asked_for]


def test_a_proposal_that_needs_no_approval_runs() -> None:
    actor = Actor()
    actor.items = {A1: an_action("approved")}
    actor.tell(MailKind.PROPOSE, A1)
    assert (actor.incident.state, actor.steps[-1].name) == (State.ACTIVE, "Remediate")


@pytest.mark.parametrize(
    ("outcome", "state", "kind", "purpose"),
    [
        ("undone", "undone", Kind.UPDATE, "update"),
        ("refused", "failed", Kind.UPDATE, "update"),
        ("failed", "failed", Kind.TRIGGER, "undo"),
        ("partial", "failed", Kind.TRIGGER, "undo"),
        ("suspended", "suspended", Kind.TRIGGER, "undo"),
    ],
)
def test_what_did_not_help_is_told_and_pages_where_something_may_be_half_done(
    outcome: str, state: str, kind: Kind, purpose: str
) -> None:
    actor = paged_and_active(actions={A1: an_action("running")}).tell(ACK, at=10)
    helped_by(actor, outcome, "undo it by hand like this")
    assert actor.incident.actions[A1].state == state
    (message,) = [i for i in actor.sent(kind) if i.purpose == purpose]
    assert (message.reason, message.text) == (f"roll_back {outcome}", "undo it by hand like this")


def test_what_did_not_help_pages_where_nobody_was_paged() -> None:
    actor = helped_by(Actor(an_incident(severity=SEV4, actions={A1: an_action("running")})), "undone")
    assert actor.pages == ["undo"]


def test_a_page_about_something_half_done_is_taken_back_by_nothing() -> None:
    """Neither an acknowledgement, nor that it cleared, nor a merge makes it needless."""
    for mails in ([alert_mail(status=R)], [replace(alert_mail(), kind=ACK, actor="ada")]):
        actor = paged_and_active(actions={A1: an_action("running")})
        actor.post(RESULT, A1, outcome="partial")
        actor.hear(*mails)
        assert "undo" in actor.pages
    actor = paged_and_active(actions={A1: an_action("running")})
    actor.post(RESULT, A1, outcome="partial")
    assert "undo" in moved_away(actor).pages


def test_what_was_undone_leaves_room_for_the_next_playbook() -> None:
    actor = helped_by(paged_and_active(actions={A1: an_action("running")}), "undone")
    assert actor.steps[-1].name == "Propose"


def test_a_result_of_nothing_known_only_leaves_its_line() -> None:
    actor = helped_by(paged_and_active(), "failed")
    assert actor.pages == ["first"]
    assert actor.lines[-1].reason == "not one of this incident's actions"


def test_a_lock_that_is_free_again_is_a_reason_to_propose_afresh() -> None:
    """History 10."""
    actor = helped_by(held(actions={A1: an_action("running")}), "busy", "inc2 holds it")
    assert (actor.pages, actor.incident.actions[A1].state) == (["first"], "busy")
    assert actor.tell(MailKind.RELEASED, "arn").steps[-1].name == "Propose"


def applied(lift_after: int = 600, at: float = 10) -> Actor:
    actor = paged_and_active(actions={A1: an_action("running", lift_after_seconds=lift_after)})
    actor.at(at)
    return helped_by(actor, "helped")


def test_a_temporary_mitigation_is_lifted_in_its_time_also_after_the_end() -> None:
    actor = applied().hear(alert_mail(status=R), at=20).wait(609)
    assert (actor.incident.state, actor.ended) == (State.RESOLVED, False)
    actor.wait(610)
    assert (actor.steps[-1].name, actor.steps[-1].purpose) == ("Remediate", "lift")
    assert actor.incident.actions[A1].attempts == 1
    helped_by(actor, "lifted", purpose="lift")
    assert (actor.incident.actions[A1].state, actor.ended) == ("lifted", True)


def test_what_was_put_back_already_is_not_lifted() -> None:
    actor = helped_by(applied(), "undone", purpose="undo").wait(700)
    assert [step.purpose for step in actor.steps if step.name == "Remediate"] == []


def test_a_lift_waits_for_another_remediation_without_turning_in_circles() -> None:
    actor = applied()
    actor.incident = replace(actor.incident, actions={**actor.incident.actions, "inc1-a2": an_action("running")})
    actor.wait(700)
    assert "Remediate" not in [step.name for step in actor.steps]
    assert helped_by(actor, "undone", action="inc1-a2").wait(720).steps[-1].purpose == "lift"


def test_a_lift_that_finds_its_target_locked_is_tried_again() -> None:
    actor = helped_by(applied().wait(610), "busy", purpose="lift")
    assert (actor.incident.actions[A1].state, actor.incident.clocks[f"lift:{A1}"]) == ("applied", later(670))


def test_a_lift_that_fails_is_a_person_s_business() -> None:
    actor = helped_by(applied().hear(alert_mail(status=R), at=20).wait(610), "partial", purpose="lift")
    assert actor.pages[-1] == "undo"


def test_a_permanent_change_has_no_lift() -> None:
    assert not [name for name in applied(lift_after=0).incident.clocks if name.startswith("lift")]


def test_it_does_not_close_while_a_remediation_runs() -> None:
    actor = paged_and_active(actions={A1: an_action("running")}).hear(alert_mail(status=R), at=20).wait(200)
    assert actor.state == "mitigated"
    assert helped_by(actor, "helped").wait(300).incident.state is State.RESOLVED


def test_what_is_suspended_keeps_the_execution() -> None:
    """History 9."""
    actor = paged_and_active(actions={A1: an_action("running")})
    helped_by(actor, "suspended").hear(alert_mail(status=R), at=20).wait(300)
    assert (actor.incident.state, actor.ended) == (State.RESOLVED, False)
    assert helped_by(actor, "undone", purpose="undo").ended


# -- the step ----------------------------------------------------------------------------------------------------------


def test_people_come_before_actions_and_actions_before_questions() -> None:
    due = later(0)
    clocks = {"verify": due, "quiet": due, "propose": due, "stale": later(3600)}
    update = a_page(kind=Kind.UPDATE, purpose="update")
    cleared = {"v1:errors": a_firing()}
    mitigated = an_incident(state=State.MITIGATED, clocks=clocks, cleared=cleared, actions={A1: an_action("approved")})
    actor = Actor(mitigated, update)
    actor.source_fires = {"v1:errors"}
    actor.run()
    assert [step.name for step in actor.steps][:3] == ["Page", "Remediate", "Verify"]


def test_a_page_in_somebody_else_s_hands_is_no_step() -> None:
    leased = a_page(attempts=1, lease_until=later(10))
    actor = Actor(an_incident(firing={"v1:errors": a_firing()}), leased).run()
    assert actor.steps == []


def test_an_alert_that_nobody_repeats_is_verified_and_a_lost_resolve_closes_it() -> None:
    """Fault 5."""
    actor = paged_and_active().tell(ACK).wait(3600)
    assert (actor.steps[-1].name, actor.steps[-1].reason) == ("Verify", "it cleared, or it is stale")
    assert actor.wait(3700).incident.state is State.RESOLVED


def test_what_fires_again_after_it_went_stale_is_asked_about_again() -> None:
    actor = paged_and_active().tell(ACK).wait(3610)
    assert actor.state == "mitigated"
    actor.hear(alert_mail(), at=3620)
    assert "stale" in actor.incident.clocks


def test_after_the_end_the_execution_stays_until_everybody_is_told() -> None:
    closing = a_page("resolve", kind=Kind.RESOLVE, purpose="resolve", attempts=1, not_before=later(60))
    actor = Actor(an_incident(state=State.RESOLVED, resolved_at=later(0)), closing).run()
    assert (actor.ended, actor.incident.clocks) == (False, {"tell": later(30)})
    actor.wait(60)
    assert (actor.ended, actor.incident.clocks) == (True, {})


@pytest.mark.parametrize(
    ("tell", "text"),
    [
        (lambda a: a.hear(alert_mail()), "generic says errors is firing"),
        (lambda a: a.tell(ACK), "ada acknowledges"),
        (lambda a: a.tell(MailKind.RESOLVE), "ada says it is over"),
        (lambda a: a.tell(MailKind.RELEASED, "arn"), "arn is free again"),
        (lambda a: a.tell(MailKind.NOTE, text="hm"), "hm"),
        (rerooted, "the probable root is db now"),
        (moved_here, "alerts checkout/b moved here from inc9"),
    ],
    ids=["alert", "ack", "resolve", "released", "note", "root", "moved in"],
)
def test_mail_after_the_end_leaves_its_line_and_changes_nothing(tell: Callable[[Actor], Actor], text: str) -> None:
    actor = Actor(an_incident(state=State.RESOLVED, resolved_at=later(0)), team=two_teams())
    before = actor.incident
    tell(actor)
    for field in ("state", "firing", "owner", "acknowledged_at", "clocks", "resolve_asked_by"):
        assert getattr(actor.incident, field) == getattr(before, field)
    assert text in actor.said()
    assert actor.ended


def test_the_last_mail_is_recorded_with_the_decision_and_wakes_are_counted() -> None:
    actor = paged_and_active()
    actor.deliver(alert_mail("a", new=True), alert_mail("b", new=True))
    actor.turn()
    assert actor.incident.mail_taken == actor.number
    taken, wakes = actor.incident.mail_taken, actor.incident.wakes
    actor.turn()
    assert (actor.incident.mail_taken, actor.incident.wakes) == (taken, wakes + 1)


def test_deadlines_that_outlived_the_end_wake_nobody() -> None:
    """An older version may have left them."""
    clocks = {name: later(0) for name in ("hold", "escalate", "ack", "stale", "approval", "start")}
    incident = an_incident(state=State.RESOLVED, resolved_at=later(0), clocks=clocks, acknowledged_by="ada", pages=1)
    actor = Actor(incident, a_page(state="sent", attempts=1)).run()
    assert (actor.pages, actor.ended) == (["first"], True)


def test_a_hold_without_a_page_says_nothing() -> None:
    assert held().incident.clocks["hold"] == later(120)
    actor = Actor(an_incident(firing={"v1:errors": a_firing()}, clocks={"hold": later(0), "stale": later(3600)})).run()
    assert (actor.lines, set(actor.incident.clocks)) == ([], {"stale"})


def test_what_cleared_before_it_was_triaged_takes_the_whole_way() -> None:
    actor = Actor(an_incident(state=State.DETECTED, firing={"v1:errors": a_firing()})).hear(alert_mail(status=R))
    assert actor.said("state") == ["the incident is triaged", "the incident is mitigated"]


def test_what_is_quiet_without_a_deadline_is_verified_once_more() -> None:
    actor = Actor(an_incident(state=State.MITIGATED, clocks={})).run()
    assert actor.incident.clocks == {"verify": later(60)}
    assert actor.wait(120).state == "resolved"


def test_a_merge_takes_back_what_only_tells_without_a_word() -> None:
    update = a_page("update-1", kind=Kind.UPDATE, purpose="update", not_before=later(500))
    actor = moved_away(paged_and_active_with(update))
    assert actor.intents["update-1"].state == "cancelled"
    assert not [line for line in actor.said() if line.startswith("not paged")]


def paged_and_active_with(*intents: Intent) -> Actor:
    actor = paged_and_active()
    actor.intents |= {intent.name: intent for intent in intents}
    return actor


def test_what_moves_in_without_a_severity_makes_it_no_worse() -> None:
    actor = paged_and_active()
    actor.table = {"v1:b": replace(a_firing("b"), severity=None)}
    actor.tell(MailKind.MOVED_IN, "checkout/b")
    assert (actor.incident.severity, set(actor.incident.firing)) == (SEV2, {"v1:errors", "v1:b"})


# -- whatever comes ----------------------------------------------------------------------------------------------------

TITLES = st.sampled_from(["errors", "latency", "disk"])
ALERTS = st.builds(
    alert_mail,
    TITLES,
    st.sampled_from(Status),
    severity=st.sampled_from(Severity),
    new=st.booleans(),
    noise=st.sampled_from([False, False, False, True]),
    rhythm=st.sampled_from([0.0, 0.0, 120.0]),
)


def posted(kind: MailKind, argument: str = "", **detail: str) -> Callable[[Actor], Actor]:
    def post(actor: Actor) -> Actor:
        actor.post(kind, argument, **detail)
        return actor.run()

    return post


def providers(down: bool) -> Callable[[Actor], Actor]:
    def turn(actor: Actor) -> Actor:
        actor.providers_down = down
        return actor

    return turn


OUTCOME = st.sampled_from(["helped", "undone", "failed", "partial", "suspended", "refused", "busy", "lifted"])
EVENTS: st.SearchStrategy[Callable[[Actor], Actor]] = st.one_of(
    ALERTS.map(lambda mail: lambda actor: actor.hear(mail)),
    st.lists(ALERTS, min_size=2, max_size=4).map(lambda mails: lambda actor: actor.hear(*mails)),
    st.sampled_from([1, 30, 70, 300, 4000]).map(
        lambda seconds: lambda actor: actor.wait((actor.now - later(0) + timedelta(seconds=seconds)).total_seconds())
    ),
    st.just(posted(ACK)),
    st.just(posted(MailKind.RESOLVE)),
    st.just(posted(MailKind.RELEASED, "arn")),
    st.just(posted(MailKind.ROOT, "orders")),
    st.just(posted(MailKind.ROOT, "db")),
    st.just(posted(MailKind.MOVED_IN, "checkout/disk")),
    st.just(posted(MailKind.EVERYTHING)),
    st.just(posted(MailKind.MOVED_OUT, "checkout/errors", to="inc9", emptied="yes")),
    st.just(lambda actor: decided(actor, "approved") if A1 in actor.incident.actions else actor),
    st.builds(lambda outcome: lambda actor: helped_by(actor, outcome), OUTCOME),
    st.booleans().map(providers),
)


def a_start(draw: st.DrawFn) -> Actor:
    severity = draw(st.sampled_from([SEV1, SEV2, SEV4]))
    hold = severity is not SEV4 and draw(st.booleans())
    clocks = {"stale": later(3600), **({"hold": later(120)} if hold else {})}
    actions = draw(st.sampled_from([{}, {A1: an_action()}, {A1: an_action("running", lift_after_seconds=200)}]))
    incident = an_incident(severity=severity, firing={"v1:errors": a_firing()}, clocks=clocks, actions=actions)
    page = a_page(severity=severity, not_before=later(120) if hold else None)
    actor = Actor(incident, *([] if severity is SEV4 else [page]), team=two_teams())
    actor.table = draw(
        st.sampled_from([{}, {"v1:disk": a_firing("disk")}, {"v1:disk": a_firing("disk", severity=SEV1)}])
    )
    actor.source_fires = draw(st.sampled_from([set(), set(), {"v1:errors"}]))
    return actor


@st.composite
def lives(draw: st.DrawFn) -> Actor:
    """An incident after whatever may happen to one."""
    actor = a_start(draw).run()
    for event in draw(st.lists(EVENTS, max_size=12)):
        if not actor.ended:
            event(actor)
    return actor


def consistent(incident: Incident, intents: Mapping[str, Intent], *, rests: bool) -> list[str]:
    """What is wrong with an incident as a turn left it."""
    clocks, mitigated = set(incident.clocks), incident.state is State.MITIGATED
    lifts = {name for name in clocks if name.startswith("lift:")}
    waiting = [i for i in intents.values() if i.pages and i.state == "pending" and not i.attempts]
    held_ones = [i for i in waiting if i.purpose != "undo"]
    checks = {
        "it escalates what is acknowledged": incident.acknowledged_at and "escalate" in clocks,
        "it grows quiet while it fires": incident.firing and "quiet" in clocks and not incident.over,
        "it is mitigated and fires": incident.firing and mitigated and rests,
        "it holds a page of what is clear": mitigated and held_ones,
        "it would page for what is over": incident.over and held_ones,
        "a deadline outlives it": incident.over and clocks - lifts - {"tell", "draft"},
        "it is forgotten": rests and not incident.over and not clocks,
        "it ends and is in force": incident.over and lifts and incident.finished,
    }
    return [flaw for flaw, holds in checks.items() if holds]


def reachable(state: State) -> set[State]:
    """Where one turn may lead: an incident may clear or be merged in the turn in which it becomes active."""
    following = MOVES[state]
    return set(following).union(*(MOVES[s] for s in following))


@settings(max_examples=200, deadline=None)
@given(actor=lives())
def test_every_life_is_legal_and_consistent(actor: Actor) -> None:
    states, before = [State.TRIAGED], None
    for now, turn, intents in actor.history:
        assert consistent(turn.incident, intents, rests=turn.step is None) == []
        if turn.step is None:  # nothing overdue is left lying, or it would be woken for it at once and for ever
            assert all(at > now for at in turn.incident.clocks.values())
        if before:
            assert turn.incident.mail_taken >= before.mail_taken
            assert turn.incident.severity <= before.severity
        before = turn.incident
        states += [] if turn.incident.state is states[-1] else [turn.incident.state]
    assert all(after in reachable(before) for before, after in pairwise(states))


@settings(max_examples=100, deadline=None)
@given(actor=lives())
def test_every_page_taken_back_is_on_the_record_and_none_about_something_half_done_is(actor: Actor) -> None:
    cancelled = [i for i in actor.intents.values() if i.state == "cancelled" and i.pages]
    assert all(i.purpose != "undo" and i.outcome for i in cancelled)
    assert len([line for line in actor.said() if line.startswith("not paged: ")]) == len(cancelled)


@settings(max_examples=100, deadline=None)
@given(actor=lives())
def test_every_life_comes_to_an_end_once_nothing_fires_and_nothing_runs(actor: Actor) -> None:
    """No message, deadline or half-done thing keeps an incident for ever."""
    actor.providers_down, actor.source_fires, actor.table = False, set(), {}
    for _ in range(4):
        now = (actor.now - later(0)).total_seconds()
        for name, action in actor.incident.actions.items():
            if action.state in ("running", "suspended") and not actor.ended:
                helped_by(actor, "undone", action=name)
        if not actor.ended:
            actor.wait(now + 7200)
    assert actor.ended
    assert actor.incident.over


@settings(max_examples=100, deadline=None)
@given(actor=lives())
def test_nobody_is_paged_for_ever(actor: Actor) -> None:
    """Trap 24: escalations are bounded by steps and rounds, anew only after an acknowledgement or another owner."""
    before = [i for i in actor.intents.values() if i.purpose == "escalation"]
    actor.items = {A1: an_action("expired")}
    if not actor.ended:
        actor.wait((actor.now - later(0)).total_seconds() + 5 * 3600)
    escalations = [i for i in actor.intents.values() if i.purpose == "escalation"]
    assert len(escalations) - len(before) <= 2 * 3 + 2


# -- it spreads --------------------------------------------------------------------------------------------------------

APART = "practically never an effect"


def spreads(actor: Actor, service: str, at: float, **changes: Any) -> Actor:
    return actor.hear(alert_mail(f"down {service}", service=service, pages=True, apart=APART, **changes), at=at)


def reasons(actor: Actor) -> list[str]:
    return [i.reason for i in actor.intents.values() if i.purpose == "spread" and i.state != "cancelled"]


def test_another_fault_that_joins_pages_again_and_says_where_whoever_acknowledged() -> None:
    actor = spreads(paged_and_active().tell(ACK, at=60), "db", at=200)
    assert actor.pages == ["first", "spread"]
    assert reasons(actor) == ["1 more service with a fault of its own: db; so far it was told as checkout"]
    assert "down db of db is another fault, or the cause" in actor.said("decision")
    assert not actor.incident.acknowledged_at


def test_it_pages_again_a_minute_after_the_last_page_and_for_all_that_came_meanwhile() -> None:
    actor = spreads(spreads(paged_and_active(), "db", at=20), "orders", at=30)
    assert actor.pages == ["first"]
    actor.wait(61)
    assert actor.pages == ["first", "spread"]
    assert reasons(actor) == ["2 more services with a fault of its own: db, orders; so far it was told as checkout"]


def test_it_pages_once_for_a_service_and_three_times_in_all() -> None:
    actor = spreads(spreads(paged_and_active().tell(ACK, at=60), "db", at=200), "db", at=400)
    assert actor.pages == ["first", "spread"]
    for n in range(5):
        spreads(actor.tell(ACK, at=401 + 100 * n), f"s{n}", at=500 + 100 * n)
    assert actor.pages == ["first", *["spread"] * 3]
    assert [said for said in actor.said("decision") if said.startswith("nobody is paged")] == [
        f"nobody is paged for s{n}" for n in (2, 3, 4)
    ]


def test_what_clears_within_that_minute_pages_nobody_again() -> None:
    actor = spreads(paged_and_active(), "db", at=20)
    actor.hear(alert_mail("down db", R, service="db"), at=30).hear(alert_mail(status=R), at=31)
    actor.wait(300)
    assert actor.pages == ["first"]


def test_a_page_that_is_to_go_out_anyway_tells_of_it() -> None:
    actor = spreads(held(), "db", at=20)
    assert len(actor.pages) <= 1
    assert reasons(actor) == []
