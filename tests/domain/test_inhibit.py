"""Which alert keeps which other from being told - and does somebody always hear of it?"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Severity, Status
from incident_bot.domain.classify import classify
from incident_bot.domain.head import Group, Head, Member
from incident_bot.domain.inhibit import Firing, hidden_by, hides_something, is_active, told_by
from incident_bot.domain.series import Series, after
from incident_bot.domain.team import Inhibition
from tests.building import a_team
from tests.deciding import later, says

REVIEW = date(2027, 1, 1)


def a_rule(**changes: Any) -> Inhibition:
    """A node that is down hides the warnings of what runs on it."""
    rule = Inhibition(
        "node-down", "platform", REVIEW, {"title": "NodeDown"}, {"severity": "sev2"}, equal=("labels.node",)
    )
    return replace(rule, **changes)


def fires(title: str, node: str = "n1", *, severity: str = "sev2", pages: bool = True, since: float = 0) -> Firing:
    fields = {"title": title, "severity": severity, "labels.node": node}
    return Firing(f"v1:{title}-{node}", title, "web", later(since), pages, {k: v for k, v in fields.items() if v})


DOWN = fires("NodeDown", severity="sev1")
HIDDEN = [
    ("what runs on it", DOWN, fires("PodCrash"), True),
    ("what runs elsewhere", DOWN, fires("PodCrash", "n2"), False),
    ("what the target does not fit", DOWN, fires("PodCrash", severity="sev3"), False),
    ("no source", fires("NodeSlow"), fires("PodCrash"), False),
    ("itself", DOWN, DOWN, False),
    ("a target that lacks the equal label", DOWN, fires("PodCrash", ""), False),
    ("both lack the equal label", fires("NodeDown", "", severity="sev1"), fires("PodCrash", ""), False),
    ("a source that wakes nobody, a target that would", fires("NodeDown", pages=False), fires("PodCrash"), False),
    ("neither wakes anybody", fires("NodeDown", pages=False), fires("PodCrash", pages=False), True),
    ("a target that wakes nobody", DOWN, fires("PodCrash", pages=False), True),
]


@pytest.mark.parametrize(("source", "target", "hidden"), [row[1:] for row in HIDDEN], ids=[row[0] for row in HIDDEN])
def test_what_an_alert_hides(source: Firing, target: Firing, hidden: bool) -> None:
    assert bool(hidden_by(target, [a_rule()], [source])) == hidden


def test_alerts_that_match_both_sides_never_silence_each_other() -> None:
    """Trap 15."""
    rule = a_rule(source={"severity": "sev2"}, target={"severity": "sev2"})
    one, other = fires("PodCrash"), fires("PodSlow")
    assert hidden_by(one, [rule], [other]) is None
    assert hidden_by(other, [rule], [one]) is None


def test_one_that_matches_both_sides_is_hidden_by_a_source_that_does_not() -> None:
    rule = a_rule(source={"title": "Node*"}, target={"severity": "sev2"})
    assert hidden_by(fires("NodeSlow"), [rule], [DOWN])
    assert hidden_by(DOWN, [rule], [fires("NodeSlow")]) is None


@pytest.mark.parametrize("changes", [{"source": {}}, {"target": {}}], ids=["source", "target"])
def test_a_side_without_matchers_hides_nothing(changes: dict[str, Any]) -> None:
    assert hidden_by(fires("PodCrash"), [a_rule(**changes)], [DOWN]) is None


def test_of_several_sources_the_one_that_fires_longest_is_named() -> None:
    later_one = replace(DOWN, fingerprint="v1:later", since=later(60))
    for sources in ([DOWN, later_one], [later_one, DOWN]):
        found = hidden_by(fires("PodCrash"), [a_rule()], sources)
        assert found is not None
        assert found[1] == DOWN


def test_only_what_rules_name_of_an_alert_is_kept() -> None:
    fields = {"title": "NodeDown", "severity": "sev1", "labels.node": "n1", "labels.pod": "secret"}
    assert told_by([a_rule()], fields) == {"title": "NodeDown", "severity": "sev1", "labels.node": "n1"}
    assert hides_something([a_rule()], fields)
    assert not hides_something([a_rule()], {"title": "PodCrash"})


alerts = st.builds(
    fires,
    st.sampled_from(["NodeDown", "RackDown", "PodCrash"]),
    st.sampled_from(["n1", "n2"]),
    severity=st.sampled_from(["sev1", "sev2"]),
    pages=st.booleans(),
    since=st.integers(0, 5),
)
sides = st.fixed_dictionaries(
    {}, optional={"title": st.sampled_from(["*Down", "Pod*", "*"]), "severity": st.just("sev2")}
)


@given(
    found=st.lists(alerts, min_size=1, max_size=6, unique_by=lambda a: a.fingerprint),
    rules=st.lists(st.builds(lambda s, t: a_rule(source=s, target=t), sides, sides), max_size=3),
)
def test_however_rules_hide_one_another_somebody_hears_of_what_would_wake_people(
    found: list[Firing], rules: list[Inhibition]
) -> None:
    sources = {alert.fingerprint: alert for alert in found}
    for alert in found:
        if hidden_by(alert, rules, sources.values()):
            del sources[alert.fingerprint]
    assert sources
    if any(alert.pages for alert in found):
        assert any(alert.pages for alert in sources.values())


def a_series(**changes: Any) -> Series:
    alert = says(severity=Severity.SEV1)
    found = classify(alert, a_team())
    made = after(None, alert, found, group="g", incident="inc1", delivery="d", now=later(0))
    return replace(made, **changes)


def a_head(*, noise: bool = False) -> Head:
    group = Group("inc1", "checkout", later(0), later(0), later(0))
    return Head(groups={"g": group}, incidents={"inc1": Member("checkout", later(0), Severity.SEV1, noise)})


ACTIVE = [
    ("it fires in an open incident", a_series(), a_head(), True),
    ("its group fell off the head", a_series(group="old"), a_head(), True),
    ("it resolved", a_series(status=Status.RESOLVED), a_head(), False),
    ("it is suppressed itself", a_series(muted_by="silence-1"), a_head(), False),
    ("its incident is noise", a_series(), a_head(noise=True), False),
    ("its incident is over", a_series(), Head(), False),
    ("it is unknown", None, a_head(), False),
]


@pytest.mark.parametrize(("series", "head", "active"), [row[1:] for row in ACTIVE], ids=[row[0] for row in ACTIVE])
def test_the_source_must_be_active(series: Series | None, head: Head, active: bool) -> None:
    assert is_active(series, head) == active
