"""What people part or join: does it stay so, are both told, and does nothing leave an incident that is acted upon?"""

from dataclasses import replace

import pytest

from incident_bot.domain import correct
from incident_bot.domain.alert import Severity
from incident_bot.domain.correct import Correction, Order
from incident_bot.domain.errors import Refused
from incident_bot.domain.mail import MailKind
from incident_bot.domain.series import Series
from incident_bot.domain.team import Service, Team
from incident_bot.virtual.clock import T0
from tests.building import a_team
from tests.deciding import Scope, says

ORDER = Order("ada", "another fault", T0, new="new1")


def a_chain() -> Team:
    """`web` and `app` depend on `api`, which depends on `db`; `mail` on nothing."""
    services = {
        "web": Service("web", "payments", tier=1, depends_on=("api",)),
        "app": Service("app", "payments", tier=1, depends_on=("api",)),
        "api": Service("api", "payments", tier=2, depends_on=("db",)),
        "db": Service("db", "storage", tier=2),
        "mail": Service("mail", "payments", tier=2),
    }
    return a_team(services=services)


@pytest.fixture
def scope() -> Scope:
    """One incident of `db`, in which `api` and `web` alert too (two series of each)."""
    scope = Scope(a_chain())
    for service in ("db", "api", "web"):
        for instance in ("1", "2"):
            scope.take(says(service=service, instance=instance))
    assert set(scope.assigned.values()) == {"inc1"}
    return scope


def present(scope: Scope, incident: str = "inc1") -> list[Series]:
    return correct.present(scope.series.values(), scope.head, incident)


def group_of(scope: Scope, service: str) -> str:
    return next(name for name, group in scope.head.groups.items() if group.service == service)


def part(scope: Scope, *services: str, instances: tuple[str, ...] = ("1", "2")) -> Correction:
    named = {says(service=s, instance=i).fingerprint for s in services for i in instances}
    here = present(scope)
    moving = [series for series in here if series.fingerprint in named]
    done = correct.part(scope.head, scope.incidents["inc1"], moving, here, team=scope.team, order=ORDER)
    scope.head = done.head
    scope.series |= {after.fingerprint: after for _, after in done.series}
    assert done.opened
    scope.incidents["new1"] = done.opened
    return done


def test_a_whole_group_is_an_incident_of_its_own(scope: Scope) -> None:
    done = part(scope, "web")
    (mail,) = done.mail["inc1"]
    assert (mail.kind, mail.argument, mail.detail["to"], mail.actor, mail.text) == (
        MailKind.MOVED_OUT,
        group_of(scope, "web"),
        "new1",
        "ada",
        "another fault",
    )
    assert done.opened
    assert (done.opened.service, done.opened.owner, done.opened.alerts) == ("web", "payments", 2)
    assert done.series == ()
    assert {series.service for series in present(scope, "new1")} == {"web"}
    assert {series.service for series in present(scope)} == {"db", "api"}


def test_some_alerts_of_a_group_leave_the_others_there(scope: Scope) -> None:
    done = part(scope, "web", instances=("1",))
    ((before, after),) = done.series
    assert (after.incident, after.version) == ("new1", before.version + 1)
    assert done.mail["inc1"][0].detail["fingerprints"] == after.fingerprint
    assert [series.fingerprint for series in present(scope, "new1")] == [after.fingerprint]
    assert len(present(scope)) == 5


def test_nothing_that_is_parted_or_stays_moves_by_itself_afterwards(scope: Scope) -> None:
    part(scope, "web", "api")
    scope.take(says("slow", service="db", at=5), at=5)
    scope.take(says("slow", service="api", at=6), at=6)
    scope.take(says("slow", service="web", at=7), at=7)
    homes = {name: group.incident for name, group in scope.head.groups.items()}
    assert {homes[name] for name in homes if name.startswith(("api", "web"))} == {"new1"}
    assert {homes[name] for name in homes if name.startswith("db")} == {"inc1"}


def test_what_was_the_root_takes_it_along(scope: Scope) -> None:
    done = part(scope, "db")
    assert done.head.incidents["inc1"].root == "api"
    assert [mail.kind for mail in done.mail["inc1"]] == [MailKind.MOVED_OUT, MailKind.ROOT]


def test_the_pairs_of_services_are_remembered(scope: Scope) -> None:
    assert part(scope, "web").pairs == (("api", "web"), ("db", "web"))


def test_something_has_to_stay(scope: Scope) -> None:
    with pytest.raises(Refused, match="nothing would be left of inc1"):
        part(scope, "db", "api", "web")


def test_nothing_leaves_an_incident_while_an_action_of_it_is_in_flight(scope: Scope) -> None:
    scope.head = replace(scope.head, acting={"inc1-a1": "inc1"})
    with pytest.raises(Refused, match="inc1-a1 of it is in flight") as refused:
        part(scope, "web")
    assert refused.value.status == 409
    with pytest.raises(Refused, match="in flight"):
        correct.join(scope.head, scope.incidents["inc1"], scope.incidents["inc1"], ORDER)


def join(scope: Scope, one: str, into: str) -> Correction:
    done = correct.join(scope.head, scope.incidents[one], scope.incidents[into], ORDER)
    scope.head = done.head
    return done


def test_a_merged_incident_gives_all_it_has_and_ends(scope: Scope) -> None:
    scope.take(says(service="mail"))
    done = join(scope, "inc2", "inc1")
    (left,), (came,) = done.mail["inc2"], done.mail["inc1"]
    assert (left.detail, came.detail) == (
        {"to": "inc1", "rule": "by-hand", "emptied": "yes"},
        {"from": "inc2", "rule": "by-hand"},
    )
    assert done.pairs == (("api", "mail"), ("db", "mail"), ("mail", "web"))
    assert set(scope.head.incidents) == {"inc1"}
    assert len(present(scope)) == 7


@pytest.mark.parametrize(("people", "home"), [(True, "inc2"), (False, "inc1")])
def test_what_is_joined_stays_joined_when_its_cause_reports_elsewhere(people: bool, home: str) -> None:
    """Had correlation put it there instead of people, it would go where its cause is."""
    fresh = Scope(a_chain())
    for at, service in enumerate(("app", "mail", "web")):
        fresh.take(says(service=service, at=at), at=at)
    join(fresh, "inc3", "inc2")
    if not people:
        groups = {name: replace(group, pinned=False) for name, group in fresh.head.groups.items()}
        fresh.head = replace(fresh.head, groups=groups)
    fresh.take(says(service="api", severity=Severity.SEV1, at=10), at=10)
    fresh.take(says(service="db", severity=Severity.SEV1, at=12), at=12)
    homes = {group.service: group.incident for group in fresh.head.groups.values()}
    assert homes == {"app": "inc1", "api": "inc1", "db": "inc1", "mail": "inc2", "web": home}


def test_a_group_that_nobody_remembers_cannot_be_split_and_is_named(scope: Scope) -> None:
    web = group_of(scope, "web")
    scope.head = replace(scope.head, groups={n: g for n, g in scope.head.groups.items() if n != web})
    with pytest.raises(Refused, match=f"^{web} of inc1 is no more known") as refused:
        part(scope, "web")
    assert refused.value.status == 409


def test_an_incident_that_fell_off_the_head_can_be_corrected_all_the_same(scope: Scope) -> None:
    scope.take(says(service="mail"))
    mail = group_of(scope, "mail")
    scope.head = replace(
        scope.head,
        groups={n: g for n, g in scope.head.groups.items() if n != mail},
        incidents={i: m for i, m in scope.head.incidents.items() if i != "inc2"},
    )
    scope.head = correct.shown(scope.head, scope.incidents["inc2"])
    join(scope, "inc2", "inc1")
    assert scope.head.groups[mail].incident == "inc1"
