"""What does an alert's place among others say of how severe it is, and of whether its page waits?"""

from dataclasses import replace
from typing import Any

from incident_bot.domain.alert import Alert, Severity
from incident_bot.domain.confidence import BROAD
from incident_bot.domain.incident import State
from incident_bot.domain.mail import MailKind
from incident_bot.domain.recur import lapsed
from incident_bot.domain.team import Correlation, Service, Team, Timing
from tests.building import a_team
from tests.deciding import Scope, later, says

EFFECT = {"generic:*": (9, 0), "generic:errors": (9, 0)}
MIXED = {"generic:*": (9, 4), "generic:errors": (9, 4)}  # too many began otherwise for another kind to name a cause


def the_team(**changes: object) -> Team:
    services = {
        "web": Service("web", "payments", tier=2, depends_on=("api",)),
        "api": Service("api", "payments", tier=2, depends_on=("db",)),
        "db": Service("db", "storage", tier=2),
    }
    return replace(a_team(services=services), **changes)  # type: ignore[arg-type]


def unsaid(service: str, at: float = 0, **changes: Any) -> Alert:
    return replace(says(service=service, at=at, **changes), severity=None)


def test_what_is_only_assumed_of_a_severity_gives_way_when_the_fault_spreads() -> None:
    scope = Scope(the_team())
    scope.take(unsaid("api"))
    assert not scope.openings["inc1"].pages
    scope.take(unsaid("web", 20), at=20)
    assert scope.mail["inc1"][-1].detail["why"].startswith("sev2 as it spreads from service to service")
    assert scope.mail["inc1"][-1].detail["pages"] == "yes"


def test_tickets_of_many_services_that_one_fault_explains_are_no_ticket() -> None:
    dependents = {f"s{n}": Service(f"s{n}", "payments", tier=2, depends_on=("db",)) for n in range(BROAD - 1)}
    scope = Scope(the_team(services={"db": Service("db", "storage", tier=2), **dependents}))
    scope.take(says(service="db", severity=Severity.SEV3))
    for n, name in enumerate(dependents):
        assert not any(mail.detail.get("pages") for mail in scope.mail.get("inc1", ())), f"{n + 1} services are too few"
        scope.take(says(service=name, at=n + 1, severity=Severity.SEV3), at=n + 1)
    assert scope.mail["inc1"][-1].detail["why"].startswith(f"sev2 as {BROAD} services are affected")
    assert scope.mail["inc1"][-1].detail["pages"] == "yes"


def of_many(wait: int, *, kinds: dict[str, tuple[int, int]] | None = None, **last: Any) -> Scope:
    """Tickets of a service, of all but one of those that depend on it, and of that one as it is said."""
    dependents = {f"s{n}": Service(f"s{n}", "payments", tier=2, depends_on=("db",)) for n in range(BROAD - 1)}
    team = the_team(services={"db": Service("db", "storage", tier=2), **dependents}, timing=Timing(cause_wait=wait))
    scope = Scope(team)
    scope.head = replace(scope.head, kinds=kinds or {})
    for n, name in enumerate(["db", *dependents]):
        changes = {"severity": Severity.SEV3, **(last if n == len(dependents) else {})}
        scope.take(says(service=name, at=n, **changes), at=n)
    return scope


def test_what_only_many_together_make_worse_waits_for_something_worse_where_the_team_lets_effects_wait() -> None:
    assert of_many(25).mail["inc1"][-1].detail["hold"] == "25"
    assert not of_many(25, severity=Severity.SEV1).mail["inc1"][-1].detail["hold"]


def test_a_ticket_is_no_fault_of_its_own_to_wake_people_for_however_many_services_are_affected() -> None:
    ticket, page = (of_many(0, kinds=MIXED, title="down", severity=s) for s in (Severity.SEV3, Severity.SEV1))
    assert [bool(scope.mail["inc1"][-1].detail["apart"]) for scope in (ticket, page)] == [False, True]


def in_zone(service: str, zone: str, at: float, pod: int) -> Alert:
    labels = {"az": zone}
    return replace(says(service=service, at=at, instance=f"{service}-{pod}", severity=Severity.SEV3), labels=labels)


def zones(*of: str) -> Scope:
    """Independent services, three pods of each warning, all in the zone that is named for it."""
    services = {f"s{n}": Service(f"s{n}", "payments", tier=2) for n in range(len(of))}
    scope = Scope(the_team(services=services))
    for pod in range(5):
        for n, zone in enumerate(of):
            at = pod * len(of) + n
            scope.take(in_zone(f"s{n}", zone, at, pod), at=at)
    return scope


def waking(scope: Scope) -> list[str]:
    return [mail.detail["why"] for mails in scope.mail.values() for mail in mails if mail.detail.get("pages")]


def test_tickets_of_several_services_in_one_place_are_a_failing_place() -> None:
    assert waking(zones("a", "a", "a", "a"))[0].startswith("sev2 as 4 services are affected in az=a")
    assert waking(zones("a", "a", "a")) == []
    assert waking(zones("a", "b", "a", "b", "a")) == []


def test_a_place_of_which_people_were_told_is_told_once() -> None:
    alone, told = zones("a", "a", "a"), zones("a", "a", "a")
    told.take(replace(says("down", service="s9", at=15), labels={"az": "a"}), at=15)
    for scope in (alone, told):
        for pod in range(3):
            scope.take(in_zone("s8", "a", 16 + pod, pod), at=16 + pod)
    assert [any("4 services are affected in" in why for why in waking(scope)) for scope in (alone, told)] == [
        True,
        False,
    ]


def joining(kinds: dict[str, tuple[int, int]], title: str = "down", **changes: Any) -> str:
    """Why an alert of a service that depends on one in an open incident is a fault of its own; empty where it isn't."""
    scope = Scope(the_team())
    scope.head = replace(scope.head, kinds=kinds)
    scope.take(says(service="api"))
    scope.take(says(title, service="web", at=20, **changes), at=20)
    assert len(scope.incidents) == 1
    return scope.mail["inc1"][-1].detail["apart"]


def test_what_is_practically_never_an_effect_is_said_to_be_a_fault_of_its_own_wherever_it_belongs() -> None:
    assert joining(MIXED) == "its kind of alert is practically never an effect of something else"
    assert joining(MIXED, "errors") == ""
    assert joining({}) == ""
    assert joining(MIXED, severity=Severity.SEV4) == ""


def test_only_the_first_of_its_kind_there_says_so() -> None:
    scope = Scope(the_team())
    scope.head = replace(scope.head, kinds=MIXED)
    scope.take(says(service="api"))
    for pod in range(4):
        scope.take(says("down", service="web", at=20 + pod, instance=str(pod)), at=20 + pod)
    assert [bool(mail.detail["apart"]) for mail in scope.mail["inc1"]] == [True, False, False, False]


def test_what_others_there_say_outweighs_a_tier() -> None:
    team = the_team(services={"web": Service("web", "payments", tier=1)})
    scope = Scope(team)
    for n in range(3):
        scope.take(says(service="web", instance=str(n), severity=Severity.SEV4))
    scope.take(unsaid("web", instance="x"))
    assert scope.mail["inc1"][-1].detail["severity"] == "4"


def test_an_effect_waits_for_its_cause_and_pages_the_cause_s_owner_when_it_reports() -> None:
    scope = Scope(the_team(timing=Timing(cause_wait=25)))
    scope.head = replace(scope.head, kinds=EFFECT)
    (opening,) = scope.take(says(service="api", severity=Severity.SEV1)).openings
    assert (opening.not_before, opening.incident.generation) == (later(25), 0)
    admission = scope.take(says("down", service="db", at=20, severity=Severity.SEV1), at=20)
    assert admission.promoted == ("inc1",)
    assert (scope.settled["inc1"].page, scope.incidents["inc1"].owner) == ("now", "storage")


def test_nothing_waits_where_the_team_does_not_ask_for_it_or_nothing_is_known() -> None:
    scope = Scope(the_team())
    scope.head = replace(scope.head, kinds=EFFECT)
    assert scope.take(says(service="api", severity=Severity.SEV1)).openings[0].not_before is None
    other = Scope(the_team(timing=Timing(cause_wait=25)))
    assert other.take(says(service="api", severity=Severity.SEV1)).openings[0].not_before is None


def test_a_warning_by_itself_stays_by_itself_until_enough_agree() -> None:
    scope = Scope(the_team(correlation=Correlation(agree=3)))
    scope.take(says(service="api"))
    for n in range(2):
        scope.take(says(service="web", instance=str(n), severity=Severity.SEV3, at=20), at=20)
    assert set(scope.assigned.values()) == {"inc1", "inc2"}
    scope.take(says(service="web", instance="2", severity=Severity.SEV3, at=21), at=21)
    assert scope.incidents["inc2"].merged_into == "inc1"


def test_an_alert_says_itself_whether_its_page_waits_before_its_group_moves() -> None:
    scope = Scope(the_team(correlation=Correlation(agree=3)))
    scope.take(says(service="api"))
    for n in range(3):
        scope.take(says(service="web", instance=str(n), severity=Severity.SEV3, at=20), at=20)
    assert [mail.kind for mail in scope.mail["inc1"]] == [MailKind.ALERT, MailKind.MOVED_IN]


def test_a_fault_that_comes_back_after_most_of_it_cleared_is_another_incident() -> None:
    """Though a lost resolve holds the first one open."""
    scope = Scope(the_team(timing=Timing(quiet_period=60)))
    for n in range(4):
        scope.take(says(service="db", instance=str(n)))
    for n in range(3):
        scope.take(says(service="db", instance=str(n), status=says().status.RESOLVED, at=300), at=300)
    scope.take(says(service="db", instance="0", at=400), at=400)
    assert scope.head.services("inc2") == {"db"}
    assert scope.incidents["inc1"].state is not State.RESOLVED
    scope.take(says(service="db", instance="3", at=401), at=401)
    assert scope.mail["inc1"][-1].text.endswith("its resolve was lost")
    assert scope.assigned["d9"] == "inc2"


def test_a_re_send_is_no_new_beginning() -> None:
    scope = Scope(the_team())
    scope.take(says(service="db"))
    known = next(iter(scope.series.values()))
    assert lapsed(known, says(service="db"), 35) == ""
    assert lapsed(known, says(service="db", at=36), 35) == "silent for 36 s before it fires again"
