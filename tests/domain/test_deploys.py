"""What is known of a service's deployments, in whatever order it is told, and which windows do they open?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incident_bot.domain.deploys import KEPT, Change, Deploy, Followed, followed, recorded, windows
from incident_bot.domain.match import matches
from incident_bot.domain.team import DeployWindow
from tests.deciding import later

RULE = DeployWindow("tickets", "platform", date(2027, 1, 1), {"severity": "sev[345]"}, minutes=30, settle_minutes=5)


def began(at: float = 0, identifier: str = "d-1", source: str = "codedeploy") -> Change:
    return Change(source, identifier, "checkout", later(at), ended=False, version="v2")


def ended(at: float, identifier: str = "d-1", source: str = "codedeploy", *, failed: bool = False) -> Change:
    return Change(source, identifier, "checkout", later(at), ended=True, failed=failed)


def told(*changes: Change) -> list[tuple[str, float, float | None]]:
    """Id, start and end of the deployments, after those changes."""
    known: tuple[Deploy, ...] = ()
    for change in changes:
        known = recorded(known, change)
    return [(d.id, _seconds(d.starts), _seconds(d.ends)) for d in known]  # type: ignore[misc]


def _seconds(at: Any) -> float | None:
    return None if at is None else (at - later(0)).total_seconds()


TOLD = [
    ("it began", [began()], [("d-1", 0, None)]),
    ("it began twice", [began(), began(5)], [("d-1", 0, None)]),
    ("it ended", [began(), ended(60)], [("d-1", 0, 60)]),
    ("it ended twice", [began(), ended(60), ended(90)], [("d-1", 0, 60)]),
    ("its end overtakes its beginning: it opens nothing", [ended(60), began()], [("d-1", 60, 60)]),
    ("another one's end", [began(), ended(60, "d-2")], [("d-1", 0, None), ("d-2", 60, 60)]),
    ("the same id of another source", [began(), ended(60, source="github")], [("d-1", 0, None), ("d-1", 60, 60)]),
    (
        "an end without an id ends all of its source",
        [began(), began(1, "d-2"), ended(60, "")],
        [("d-1", 0, 60), ("d-2", 1, 60)],
    ),
    ("an end without an id and nothing began", [ended(60, "")], []),
    ("an end that is older than its beginning", [began(50), ended(10)], [("d-1", 50, None)]),
]


FOLLOWED = [
    ("nothing was deployed", [], 100, Followed()),
    ("it is under way", [began(60)], 100, Followed("codedeploy d-1", 40)),
    ("it ended not long before", [began(), ended(60)], 350, Followed("codedeploy d-1", 350)),
    ("it ended long before", [began(), ended(60)], 361, Followed()),
    ("it began later", [began(101)], 100, Followed()),
    ("nobody told its end", [began()], 1801, Followed()),
    ("the last of two", [began(), began(50, "d-2"), ended(55, "d-2")], 100, Followed("codedeploy d-2", 50)),
    ("one without a version", [ended(60, "d-3")], 100, Followed("codedeploy d-3", 40)),
]


@pytest.mark.parametrize(("changes", "at", "found"), [row[1:] for row in FOLLOWED], ids=[row[0] for row in FOLLOWED])
def test_what_an_alert_follows(changes: list[Change], at: float, found: Any) -> None:
    known: tuple[Deploy, ...] = ()
    for change in changes:
        known = recorded(known, change)
    assert followed(known, later(at), 300) == found


def a_deploy(version: str = "", identifier: str = "7", at: float = 0, **changes: Any) -> Deploy:
    return Deploy("github", identifier, later(at), version=version, **changes)


SAID = [
    ("no deployment is known", [], Followed("3b18e512", 0, claimed=True)),
    ("the version of one", [a_deploy("3b18e512")], Followed("3b18e512", 90)),
    ("the id of one, which is called by its version", [a_deploy("77aa0134", "3b18e512")], Followed("77aa0134", 90)),
    ("not that of the last", [a_deploy("3b18e512"), a_deploy("77aa0134", "8", 50)], Followed("3b18e512", 90)),
    ("another one's", [a_deploy("77aa0134")], Followed("3b18e512", 0, claimed=True)),
    ("of one long ago", [a_deploy("3b18e512", at=-999, ends=later(-900))], Followed("3b18e512", 0, claimed=True)),
    ("of one that is claimed too", [a_deploy("3b18e512", claimed=True)], Followed("3b18e512", 0, claimed=True)),
]


@pytest.mark.parametrize(("known", "found"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_what_an_alert_says_that_it_follows_is_believed_where_a_pipeline_says_so_too(known: Any, found: Any) -> None:
    assert followed(known, later(90), 300, "3b18e512") == found


def test_a_name_that_may_be_anybodys_stays_a_claim() -> None:
    assert followed([a_deploy("v2")], later(90), 300, "v2") == Followed("v2", 0, claimed=True)


def test_a_pipelines_word_goes_before_a_later_claim() -> None:
    claimed = a_deploy("77aa0134", "8", 50, claimed=True)
    assert followed([a_deploy("3b18e512"), claimed], later(90), 300) == Followed("3b18e512", 90)
    assert followed([claimed], later(90), 300) == Followed("77aa0134", 40, claimed=True)


COMMIT, DIGEST = "3b18e512dba7", "shop/web@sha256:" + "4f5e" * 16
SAME = [
    ("a commit, whoever deployed it", ("github", "7", COMMIT), ("gitlab", "8", COMMIT), True),
    ("an image's digest", ("ecs", "a", DIGEST), ("by hand", "b", DIGEST), True),
    ("one execution of one pipeline", ("codepipeline", "7", ""), ("codepipeline", "7", ""), True),
    ("the id of two pipelines' own", ("codepipeline", "7", ""), ("gitlab", "7", ""), False),
    *(
        (f"the version {text}", ("github", "7", text), ("github", "8", text), False)
        for text in ("2", "latest", "v1", "2026.01.15", "20260115", "defaced", "abc123")
    ),
]


@pytest.mark.parametrize(("one", "other", "same"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_two_deployments_are_one_change_only_where_that_is_certain(one: Any, other: Any, same: bool) -> None:
    names = [
        followed([Deploy(source, name, later(0), version=v)], later(9), 300).change for source, name, v in (one, other)
    ]
    assert (names[0] == names[1]) is same
    assert all(names)


@pytest.mark.parametrize(("changes", "known"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_known_of_deployments(changes: list[Change], known: Any) -> None:
    assert told(*changes) == known


def test_only_the_last_ones_are_kept() -> None:
    assert len(told(*(began(n, f"d-{n}") for n in range(3 * KEPT)))) == KEPT


@given(order=st.permutations([began(), ended(60), ended(60), began(0), began(100, "d-2"), ended(160, "d-2")]))
def test_however_it_is_told_nothing_stays_open_that_ended(order: list[Change]) -> None:
    assert all(end is not None for _, _, end in told(*order))


OPENS = [
    ("it runs: for as long as the rule says", Deploy("codedeploy", "d-1", later(0)), 1800),
    ("it succeeded: it may settle", Deploy("codedeploy", "d-1", later(0), later(600)), 900),
    ("it settles no longer than the rule says at most", Deploy("codedeploy", "d-1", later(0), later(1700)), 1800),
    ("it failed: what fires now counts", Deploy("codedeploy", "d-1", later(0), later(600), failed=True), 600),
]


@pytest.mark.parametrize(("deploy", "ends"), [row[1:] for row in OPENS], ids=[row[0] for row in OPENS])
def test_how_long_its_window_is(deploy: Deploy, ends: float) -> None:
    (window,) = windows("checkout", [deploy], [RULE])
    assert (window.starts, window.ends) == (later(0), later(ends))
    assert window.when == {"severity": "sev[345]", "service": "checkout"}


def test_every_rule_that_fits_the_service_opens_one() -> None:
    other = replace(RULE, name="search", when={"service": "search", "title": "*"})
    pattern = replace(RULE, name="pattern", when={"service": "check*", "title": "*"})
    found = windows("checkout", [Deploy("codedeploy", "d-1", later(0))], [RULE, other, pattern])
    assert [window.id for window in found] == [
        "deploy-checkout-codedeploy-d-1-tickets",
        "deploy-checkout-codedeploy-d-1-pattern",
    ]


def test_the_same_changes_in_any_order_leave_the_same_ends() -> None:
    changes = [began(), ended(60), began(100, "d-2")]
    ends = {tuple((i, e) for i, _, e in told(*order)) for order in permutations(changes)}
    assert {frozenset(found) for found in ends} == {frozenset({("d-1", 60.0), ("d-2", None)})}


def chain(rule: DeployWindow, *, every: float, lasts: float, many: int) -> tuple[Deploy, ...]:
    """So many deployments in seconds, each told when it begins and when it ends."""
    known: tuple[Deploy, ...] = ()
    for n in range(many):
        known = recorded(known, began(n * every, f"d-{n:03}"), [rule])
        known = recorded(known, ended(n * every + lasts, f"d-{n:03}"), [rule])
    return known


def hidden(known: Sequence[Deploy], at: float, rule: DeployWindow = RULE) -> bool:
    return any(window.holds(later(at)) for window in windows("checkout", known, [rule]))


def test_deployments_that_follow_one_another_hide_an_hour_and_no_more() -> None:
    known = chain(RULE, every=180, lasts=120, many=100)
    assert not any(hidden(known, 180 * n + 60) for n in range(100))
    early = chain(RULE, every=180, lasts=120, many=20)
    assert hidden(early, 3599)
    assert not hidden(early, 3600)
    last = windows("checkout", early, [RULE])[-1]
    assert last.reason == (
        "v2 of checkout is deployed; one deployment has followed another since 10:00 UTC, which hides 60 minutes"
    )


def test_after_a_pause_the_time_begins_anew() -> None:
    long_ago = chain(RULE, every=180, lasts=120, many=100)
    pause = 99 * 180 + 120 + 5 * 60 + 300  # the last one's end, its settling time and the pause
    known = recorded(long_ago, began(pause, "next"), [RULE])
    assert hidden(known, pause + 60)
    assert not hidden(recorded(long_ago, began(pause - 1, "next"), [RULE]), pause + 60)


def test_one_deployment_has_all_its_minutes() -> None:
    long = replace(RULE, minutes=90, chained_minutes=60)
    assert hidden(recorded((), began(), [long]), 89 * 60, long)


@given(
    st.lists(st.tuples(st.floats(0, 900), st.floats(1, 900), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 60),
    st.integers(0, 30),
)
@example([*[(0, 1, False)] * 3, (0, 1, True), (301, 1, False), *[(0, 1, False)] * 7, (865, 900, False)], 60, 30)
def test_however_a_service_is_deployed_no_stretch_that_is_hidden_lasts_longer_than_the_rule_allows(
    steps: list[tuple[float, float, bool]], minutes: int, settle: int
) -> None:
    rule = replace(RULE, minutes=minutes, settle_minutes=settle)
    known: tuple[Deploy, ...] = ()
    spans: dict[str, tuple[float, float]] = {}
    at = 0.0
    for n, (gap, lasts, failed) in enumerate(steps):
        at += gap
        known = recorded(known, began(at, f"d-{n:03}"), [rule])
        known = recorded(known, ended(at + lasts, f"d-{n:03}", failed=failed), [rule])
        spans |= {w.id: (_seconds(w.starts) or 0, _seconds(w.ends) or 0) for w in windows("checkout", known, [rule])}
    begins = ends = 0.0
    for starts, over in sorted(spans.values()):
        begins, ends = (begins, max(ends, over)) if starts <= ends else (starts, over)
        assert ends - begins <= max(minutes, 60) * 60 + 0.001


@pytest.mark.parametrize("service", ["*", "shop[eu]", "p?y", "checkout"])
def test_a_window_is_of_the_very_service_whatever_its_pipeline_calls_it(service: str) -> None:
    [window] = windows(service, [Deploy("github", "1", later(0))], [RULE])
    fitting = [s for s in ("*", "shop[eu]", "p?y", "checkout", "pay", "shope") if _fits(window.when, s)]
    assert fitting == [service]


def _fits(when: Mapping[str, str], service: str) -> bool:
    return matches(when, {"service": service, "severity": "sev3"})
