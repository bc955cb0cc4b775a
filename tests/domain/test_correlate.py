"""Which open incident explains a firing alert, why, and what follows for the others?"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from incident_bot.domain.alert import Severity
from incident_bot.domain.classify import UNKNOWN_SERVICE
from incident_bot.domain.correlate import JOINED_FOR, NEW, Candidate, Placement, Topology, place
from incident_bot.domain.head import Group, Head, Member
from incident_bot.domain.team import Service
from tests.deciding import later

WINDOW = timedelta(seconds=300)

# web and app depend on api, api on db; loop and pool on each other
DEPENDS = {"web": ("api",), "app": ("api",), "api": ("db",), "db": (), "mail": (), "loop": ("pool",), "pool": ("loop",)}
TOPOLOGY = Topology({name: Service(name, "team", depends_on=needs) for name, needs in DEPENDS.items()})


def a_head(acting: Mapping[str, str] | None = None, **incidents: Member) -> Head:
    """A head whose incidents, named by their root service, have one group each: `<root>/errors`."""
    groups = {f"{m.root}/errors": Group(name, m.root, m.last) for name, m in incidents.items()}
    return Head(1, groups, incidents, acting or {})


def of(root: str, opened: float = 0, last: float | None = None, **changes: object) -> Member:
    member = Member(root, later(opened), later(opened if last is None else last), Severity.SEV2)
    return replace(member, **changes)  # type: ignore[arg-type]


def fires(service: str, at: float = 40, title: str = "latency", *, noise: bool = False) -> Candidate:
    return Candidate(f"{service}/{title}", service, Severity.SEV2, later(at), noise)


ROWS = [
    ("nothing is open", a_head(), fires("web"), Placement(NEW, "no open incident explains it")),
    (
        "its group is there, however long ago",
        a_head(a=of("web")),
        fires("web", 90000, "errors"),
        Placement("a", "its group web/errors belongs there"),
    ),
    ("its service alerts there", a_head(a=of("web")), fires("web"), Placement("a", "web alerts there already")),
    (
        "its service alerts there, but not lately",
        a_head(a=of("web")),
        fires("web", 301),
        Placement(NEW, "no open incident explains it"),
    ),
    (
        "its service alerted there late",
        a_head(a=of("web", last=3000)),
        fires("web", 3300),
        Placement("a", "web alerts there already"),
    ),
    (
        "each alert prolonged the window, for hours",
        a_head(a=of("web", last=JOINED_FOR.total_seconds())),
        fires("web", JOINED_FOR.total_seconds() + 1),
        Placement(NEW, "no open incident explains it"),
    ),
    (
        "what it depends on is a root",
        a_head(a=of("api")),
        fires("web"),
        Placement("a", "web depends on api, the root of that incident"),
    ),
    (
        "what it depends on through another is a root",
        a_head(a=of("db")),
        fires("web"),
        Placement("a", "web depends on db, the root of that incident"),
    ),
    ("nothing connects them", a_head(a=of("mail")), fires("web"), Placement(NEW, "no open incident explains it")),
    ("siblings of a silent root", a_head(a=of("app")), fires("web"), Placement(NEW, "no open incident explains it")),
    ("a service nobody knows", a_head(a=of("web")), fires("mystery"), Placement(NEW, "no open incident explains it")),
    (
        "two alerts that name no service have nothing in common",
        a_head(a=of(UNKNOWN_SERVICE)),
        fires(UNKNOWN_SERVICE),
        Placement(NEW, "no open incident explains it"),
    ),
    (
        "the same alert without a service is the same",
        a_head(a=of(UNKNOWN_SERVICE)),
        fires(UNKNOWN_SERVICE, title="errors"),
        Placement("a", "its group unknown/errors belongs there"),
    ),
    (
        "the root comes last",
        a_head(a=of("web")),
        fires("api"),
        Placement("a", "web, the root so far, depends on api", (), "api"),
    ),
    (
        "the root of two comes last: the older takes in the younger",
        a_head(b=of("app", 10), a=of("web", 5)),
        fires("api"),
        Placement("a", "web, the root so far, depends on api", ("b",), "api"),
    ),
    (
        "nothing moves out of an incident whose action is in flight",
        a_head({"b-a1": "b"}, a=of("web", 5), b=of("app", 10)),
        fires("api"),
        Placement("b", "app, the root so far, depends on api", ("a",), "api"),
    ),
    (
        "two with actions in flight stay what they are",
        a_head({"a-a1": "a", "b-a1": "b"}, a=of("web", 5), b=of("app", 10)),
        fires("api"),
        Placement("a", "web, the root so far, depends on api", (), "api"),
    ),
    (
        "what has an execution takes in what has none",
        a_head(a=of("web", 5, actor=False), b=of("app", 10)),
        fires("api"),
        Placement("b", "app, the root so far, depends on api", ("a",), "api"),
    ),
    (
        "a root long after",
        a_head(a=of("web")),
        fires("api", 400),
        Placement(NEW, "no open incident explains it"),
    ),
    (
        "a cycle: the later one is taken for the root",
        a_head(a=of("loop")),
        fires("pool"),
        Placement("a", "loop, the root so far, depends on pool", (), "pool"),
    ),
    (
        "noise stays by itself",
        a_head(a=of("web")),
        fires("web", noise=True),
        Placement(NEW, "noise is recorded by itself"),
    ),
    (
        "noise joins its own group",
        a_head(a=of("web")),
        fires("web", title="errors", noise=True),
        Placement("a", "its group web/errors belongs there"),
    ),
    (
        "nothing joins noise",
        a_head(a=of("web", noise=True, actor=False)),
        fires("web"),
        Placement(NEW, "no open incident explains it"),
    ),
    (
        "the oldest of two that explain it",
        a_head(b=of("db", 10), a=of("api", 5)),
        fires("web"),
        Placement("a", "web depends on api, the root of that incident"),
    ),
    (
        "a group of an incident that is gone",
        replace(a_head(a=of("web")), incidents={}),
        fires("web", title="errors"),
        Placement(NEW, "no open incident explains it"),
    ),
]


@pytest.mark.parametrize(("head", "candidate", "placement"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_placement(head: Head, candidate: Candidate, placement: Placement) -> None:
    assert place(candidate, head, TOPOLOGY, WINDOW) == placement


def test_upstream_is_everything_it_depends_on_and_ends_in_a_cycle() -> None:
    assert TOPOLOGY.upstream("web") == {"api", "db"}
    assert TOPOLOGY.upstream("loop") == {"pool", "loop"}
    assert TOPOLOGY.upstream("mystery") == frozenset()
