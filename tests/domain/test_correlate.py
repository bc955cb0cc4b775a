"""Which group and which open incident explain a firing alert, why, and what moves on its account?"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from incident_bot.domain.alert import Severity
from incident_bot.domain.cause import Topology
from incident_bot.domain.classify import UNKNOWN_SERVICE
from incident_bot.domain.correlate import Placement, place
from incident_bot.domain.gather import NEW, Candidate, begun, gathered, grown
from incident_bot.domain.head import Group, Head, Member
from incident_bot.domain.surroundings import JOINED_FOR
from incident_bot.domain.team import Correlation, Service
from tests.deciding import later

BY = Correlation()
# web and app depend on api, api on db; loop and pool on each other
DEPENDS = {"web": ("api",), "app": ("api",), "api": ("db",), "db": (), "mail": (), "loop": ("pool",), "pool": ("loop",)}
TOPOLOGY = Topology({name: Service(name, "team", depends_on=needs) for name, needs in DEPENDS.items()})
BLANK = Topology({name: Service(name, "team") for name in DEPENDS})


def a_group(service: str, incident: str, at: float = 0, **changes: object) -> Group:
    group = Group(incident, service, later(at), later(at), later(at))
    return replace(group, **changes)  # type: ignore[arg-type]


def a_head(*groups: Group, acting: Mapping[str, str] | None = None, **members: object) -> Head:
    """A head of those groups, named by their services; each incident opened with its first group."""
    incidents: dict[str, Member] = {}
    for group in groups:
        member = Member(group.service, group.began, group.severity)
        incidents.setdefault(group.incident, replace(member, **members))  # type: ignore[arg-type]
    return Head(1, {group.service: group for group in groups}, incidents, acting or {})


def placed_in(head: Head, new: Group, topology: Topology = TOPOLOGY, by: Correlation = BY) -> Placement:
    return place("new", replace(head, groups={**head.groups, "new": new}), topology, by)


ROWS = [
    ("nothing is open", a_head(), a_group("web", NEW), (NEW, "no open incident explains it")),
    (
        "what it depends on fires",
        a_head(a_group("api", "a")),
        a_group("web", NEW, 40),
        ("a", "web depends on api, the root of that incident"),
    ),
    (
        "what it depends on through another",
        a_head(a_group("db", "a")),
        a_group("web", NEW, 40),
        ("a", "web depends on db, the root of that incident"),
    ),
    (
        "the nearer of two that explain it",
        a_head(a_group("db", "a", 0), a_group("api", "b", 10)),
        a_group("web", NEW, 40),
        ("b", "web depends on api, the root of that incident"),
    ),
    (
        "what it depends on began long before but grew lately",
        a_head(a_group("api", "a", 0, last=later(900))),
        a_group("web", NEW, 1000),
        ("a", "web depends on api, the root of that incident"),
    ),
    (
        "what it depends on began and grew long before",
        a_head(a_group("api", "a")),
        a_group("web", NEW, 1000),
        (NEW, "no open incident explains it"),
    ),
    (
        "nothing connects them",
        a_head(a_group("mail", "a")),
        a_group("web", NEW, 5),
        (NEW, "no open incident explains it"),
    ),
    (
        "it began a minute before what it depends on",
        a_head(a_group("api", "a", 65)),
        a_group("web", NEW, 0, last=later(70)),
        (NEW, "no open incident explains it"),
    ),
    (
        "it began a little before what it depends on",
        a_head(a_group("api", "a", 55)),
        a_group("web", NEW, 0, last=later(70)),
        ("a", "web depends on api, the root of that incident"),
    ),
    ("siblings", a_head(a_group("app", "a")), a_group("web", NEW, 5), (NEW, "no open incident explains it")),
    (
        "its service alerted shortly before",
        a_head(a_group("web", "a")),
        a_group("web", NEW, 299),
        ("a", "web alerts there already"),
    ),
    (
        "its service alerted long before",
        a_head(a_group("web", "a")),
        a_group("web", NEW, 301),
        (NEW, "no open incident explains it"),
    ),
    (
        "nobody named its service",
        a_head(a_group(UNKNOWN_SERVICE, "a")),
        a_group(UNKNOWN_SERVICE, NEW, 60),
        (NEW, "no open incident explains it"),
    ),
    (
        "an incident that lasts for hours",
        a_head(a_group("api", "a"), opened_at=later(40) - JOINED_FOR * 1.01),
        a_group("web", NEW, 40),
        (NEW, "no open incident explains it"),
    ),
    ("noise", a_head(a_group("api", "a"), noise=True), a_group("web", NEW, 5), (NEW, "no open incident explains it")),
    (
        "all of both is in one zone",
        a_head(a_group("mail", "a", series=3, places={"az=1": 3})),
        a_group("web", NEW, 30, series=3, places={"az=1": 3}),
        ("a", "all of it is in az=1, like others that fire at the same time"),
    ),
    (
        "both follow one deployment",
        a_head(a_group("mail", "a", change="d-1", after=20)),
        a_group("web", NEW, 60, change="d-1", after=80),
        ("a", "web and mail both follow d-1, 80 s before"),
    ),
    (
        "both name one change in their labels, and belong to one team",
        a_head(a_group("mail", "a", change="CHG-7", claimed=True)),
        a_group("web", NEW, 60, change="CHG-7", claimed=True),
        ("a", "web and mail both follow CHG-7, as their alerts say"),
    ),
    *(
        (
            f"of two that have nothing to do with each other {claims} names the change of the other",
            a_head(a_group("mail", "a", change="d-1", claimed=claims != "the new one")),
            a_group("nobodys", NEW, 60, change="d-1", claimed=claims != "the first"),
            (NEW, "no open incident explains it"),
        )
        for claims in ("the first", "the new one", "each")
    ),
    (
        "each follows a deployment of its own",
        a_head(a_group("mail", "a", change="d-1", after=20)),
        a_group("web", NEW, 60, change="d-2", after=20),
        (NEW, "no open incident explains it"),
    ),
    (
        "they begin far apart after one deployment",
        a_head(a_group("mail", "a", change="d-1", after=20)),
        a_group("web", NEW, 400, change="d-1", after=420),
        (NEW, "no open incident explains it"),
    ),
    (
        "what it depends on explains it better than a shared deployment",
        a_head(a_group("mail", "a", change="d-1", after=20), a_group("api", "b", 30)),
        a_group("web", NEW, 60, change="d-1", after=80),
        ("b", "web depends on api, the root of that incident"),
    ),
    (
        "what the other depends on explains that better",
        a_head(a_group("mail", "a", 10, change="d-1", cause="db"), a_group("db", "a")),
        a_group("loop", NEW, 60, change="d-1", after=80),
        (NEW, "no open incident explains it"),
    ),
    (
        "what a zone's fault explains is in that zone",
        a_head(a_group("api", "a", series=3, places={"az=1": 3}, sure=False)),
        a_group("web", NEW, 30, series=3, places={"az=1": 1, "az=2": 1, "az=3": 1}),
        (NEW, "no open incident explains it"),
    ),
]


@pytest.mark.parametrize(("head", "new", "found"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_where_a_new_group_belongs(head: Head, new: Group, found: tuple[str, str]) -> None:
    placement = placed_in(head, new)
    assert (placement.incident, placement.reason) == found
    assert placement.moves == {}


def test_a_better_cause_takes_over_what_only_shared_a_change() -> None:
    head = a_head(a_group("mail", "a", change="d-1"), a_group("web", "a", 20, change="d-1", cause="mail"))
    placement = placed_in(head, a_group("api", NEW, 40))
    assert (placement.explains, placement.moves) == (("web",), {"web": NEW})


def test_the_root_comes_last_and_takes_the_incident_over() -> None:
    placement = placed_in(a_head(a_group("web", "a")), a_group("api", NEW, 40))
    assert (placement.incident, placement.root, placement.explains) == ("a", "api", ("web",))
    assert placement.reason == "web, the root so far, depends on api"


def test_the_root_of_two_comes_last_and_the_older_takes_in_the_younger() -> None:
    placement = placed_in(a_head(a_group("web", "a", 5), a_group("app", "b", 10)), a_group("api", NEW, 40))
    assert (placement.incident, placement.root, placement.moves) == ("a", "api", {"app": "a"})


def test_a_worse_incident_takes_in_the_older_for_its_page_is_out() -> None:
    head = a_head(a_group("web", "a", 5), a_group("app", "b", 10, severity=Severity.SEV1))
    assert placed_in(head, a_group("api", NEW, 40)).moves == {"web": "b"}


def test_nothing_leaves_an_incident_whose_action_is_in_flight() -> None:
    head = a_head(a_group("web", "a", 5), a_group("app", "b", 10), acting={"b-a1": "b"})
    placement = placed_in(head, a_group("api", NEW, 40))
    assert (placement.incident, placement.moves) == ("b", {"web": "b"})
    both = replace(head, acting={"a-a1": "a", "b-a1": "b"})
    assert placed_in(both, a_group("api", NEW, 40)).moves == {}


def test_a_group_moves_alone_when_what_explains_it_better_belongs_elsewhere() -> None:
    down = replace(BY, causes=("Down",))
    head = a_head(a_group("db", "a"), a_group("app", "a", 100, cause="db"), a_group("mail", "a", 10))
    placement = placed_in(head, a_group("api", NEW, 70, kinds={"generic:Down": 1}), by=down)
    assert (placement.incident, placement.explains, placement.moves) == (NEW, ("app",), {"app": NEW})


def test_a_kind_of_alert_that_is_never_an_effect_is_nobody_s_effect() -> None:
    down = a_group("web", NEW, 40, kinds={"generic:Down": 1})
    head = a_head(a_group("api", "a"))
    assert placed_in(head, down).incident == "a"
    learned = replace(head, kinds={"generic:*": (9, 2), "generic:Down": (0, 2)})
    placement = placed_in(learned, down)
    assert (placement.incident, placement.effect) == (NEW, False)
    assert placement.reason == "Down names a cause, not an effect"
    named = placed_in(head, down, by=replace(BY, causes=("Down",)))
    assert named.incident == NEW


def test_a_cause_that_shows_in_more_places_of_its_service_is_no_second_one() -> None:
    """A pod that goes down a minute after its neighbours did, when their group is closed to new series."""
    by = replace(BY, causes=("Down",))
    head = a_head(a_group("api", "a", kinds={"prometheus:Down": 5}))
    late = a_group("api", NEW, 80, kinds={"prometheus:Down": 1})
    assert placed_in(head, late, by=by).reason == "api shows Down there already"
    assert placed_in(head, late, by=by).incident == "a"
    slow = a_head(a_group("api", "a", kinds={"prometheus:Slow": 5}))
    assert placed_in(slow, late, by=by).incident == NEW, "what failed there before showed no cause"


def test_of_two_causes_that_fit_the_one_whose_fault_shows_everywhere_explains_more() -> None:
    needs = {"web": ("cache", "db"), "app": ("db",), "jobs": ("db",), "mail": ("cache",), "feed": ("cache",)}
    topology = Topology({name: Service(name, "team", depends_on=upstream) for name, upstream in needs.items()})
    beside = (a_group("app", "a", 20, cause="db"), a_group("jobs", "a", 22, cause="db"))
    head = a_head(a_group("db", "a", 10), a_group("cache", "b", 25), *beside)
    web = a_group("web", NEW, 40)
    assert placed_in(head, web, topology).cause == "db", "all that depend on it fire; the cache came later, but alone"
    alone = a_head(a_group("db", "a", 10), a_group("cache", "b", 25))
    assert placed_in(alone, web, topology).cause == "cache", "nothing else speaks for either"


def test_where_no_service_says_what_it_depends_on_the_configured_nearness_counts() -> None:
    head, near = a_head(a_group("mail", "a")), replace(BY, together_seconds=60)
    assert placed_in(head, a_group("web", NEW, 30), BLANK).incident == NEW
    assert placed_in(head, a_group("web", NEW, 30), BLANK, near).incident == "a"
    assert placed_in(head, a_group("web", NEW, 61), BLANK, near).incident == NEW


def test_siblings_of_a_silent_root_are_one_where_the_team_says_so() -> None:
    placement = placed_in(a_head(a_group("app", "a")), a_group("web", NEW, 5), by=replace(BY, siblings_seconds=45))
    assert placement.reason == "web and app both depend on api, which may fail silently"


def test_a_mere_warning_explains_nothing_until_enough_agree() -> None:
    by, weak = replace(BY, agree=3), a_group("api", "a", sure=False)
    assert placed_in(a_head(weak), a_group("web", NEW, 5), by=by).incident == NEW
    assert placed_in(a_head(replace(weak, series=3)), a_group("web", NEW, 5), by=by).incident == "a"


def test_a_cycle_of_services_ends_nothing_in_a_loop() -> None:
    head = a_head(a_group("loop", "a"))
    assert placed_in(head, a_group("pool", NEW, 5)).incident == "a"


# -- gathering -------------------------------------------------------------------------------------------------------


def fires(service: str = "web", at: float = 10, **changes: object) -> Candidate:
    candidate = Candidate(service, "generic:latency", Severity.SEV2, later(at), later(at), later(at))
    return candidate._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("candidate", "joins"),
    [
        (fires(at=45), True),
        (fires(at=46), False),
        (fires(at=110, slow=75), True),
        (fires("app"), False),
        (fires(noise=True), False),
        (fires(noise=True, kind="generic:errors"), True),
    ],
    ids=["near", "later", "of a source that tells late", "of another service", "noise", "noise of that kind"],
)
def test_which_series_are_one_group(candidate: Candidate, joins: bool) -> None:
    head = a_head(a_group("web", "a", kinds={"generic:errors": 1}))
    assert gathered(candidate, head, BY) == ("web" if joins else None)


def test_a_group_is_closed_however_steadily_it_grows() -> None:
    head = a_head(a_group("web", "a", 0, last=later(100)))
    assert gathered(fires(at=110), head, BY) == "web"
    assert gathered(fires(at=120), head, BY) is None


def test_a_group_counts_its_series_and_noise_makes_it_no_worse() -> None:
    group = grown(begun(fires(place="az=1")), fires(at=20, place="az=2", severity=Severity.SEV1))
    assert (group.series, group.firing, group.severity) == (2, 2, Severity.SEV1)
    assert (group.kinds, group.places) == ({"generic:latency": 2}, {"az=1": 1, "az=2": 1})
    assert (group.began, group.last) == (later(10), later(20))
    loud = grown(begun(fires()), fires(noise=True, severity=Severity.SEV1))
    assert (loud.series, loud.severity) == (2, Severity.SEV2)


def test_a_group_that_a_prompt_source_tells_of_too_is_not_told_late() -> None:
    for first, then in ((75, 0), (0, 75)):
        assert grown(begun(fires(slow=first)), fires(at=20, slow=then)).slow == 0
    assert grown(begun(fires(slow=75)), fires(at=20, slow=75)).slow == 75


def test_upstream_counts_hops_and_ends_in_a_cycle() -> None:
    assert TOPOLOGY.upstream("web") == {"api": 1, "db": 2}
    assert TOPOLOGY.upstream("loop") == {"pool": 1, "loop": 2}
    assert TOPOLOGY.upstream("mystery") == {}


def test_a_group_that_turns_out_to_be_a_cause_leaves_what_it_was_taken_for_an_effect_of() -> None:
    down = a_group("web", "a", 40, kinds={"generic:Down": 2}, series=2, cause="api")
    head = replace(a_head(a_group("api", "a")), kinds={"generic:*": (9, 2), "generic:Down": (0, 2)})
    assert placed_in(head, down).incident == NEW


def test_what_is_surely_in_one_place_with_others_is_explained_by_that_and_not_by_what_it_depends_on() -> None:
    here = {"kinds": {"generic:latency": 5}, "series": 5, "places": {"az=1": 5}}
    head = a_head(a_group("api", "a"), a_group("mail", "b", 10, **here), a_group("shop", "b", 12, **here))
    placement = placed_in(head, a_group("web", NEW, 20, **here))
    assert (placement.incident, placement.reason) == (
        "b",
        "all of it is in az=1, like others that fire at the same time",
    )
