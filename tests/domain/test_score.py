"""How far is an alert believed, is each point explained, and who is woken all the same?"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Alert, Severity
from incident_bot.domain.classify import Classification, classify
from incident_bot.domain.label import Tally
from incident_bot.domain.score import Evidence, Score, believed, score
from incident_bot.domain.team import Confidence, Playbook, Rule, Service, Team
from tests.building import a_team, an_alert
from tests.deciding import Scope, says

BY = Confidence()
COUNTS = st.integers(0, 60)
TALLIES = st.builds(Tally, COUNTS, COUNTS)
EVIDENCE = st.builds(
    Evidence,
    TALLIES,
    st.lists(st.sampled_from(["a", "b", "c"]), unique=True).map(tuple),
    st.integers(0, 30),
    st.lists(st.sampled_from(["web", "api"]), unique=True).map(tuple),
    st.floats(0, 100),
)
SERVICES = st.sampled_from([None, *(Service("pay", "payments", tier=tier) for tier in (1, 2, 3))])


def found(severity: Severity, **changes: Any) -> Classification:
    return replace(classify(an_alert(severity=severity), a_team()), **changes)


def weigh(*, service: Service | None = None, by: Confidence = BY, **evidence: Any) -> Score:
    return score(Evidence(**evidence), service, by)


POINTS = [
    ("it begins as configured", {}, None, [("history", 0.75)]),
    ("labels count beside the prior", {"tally": Tally(0, 4)}, None, [("history", 3 / 8)]),
    ("good ones too", {"tally": Tally(4, 0)}, None, [("history", 7 / 8)]),
    ("two other sources", {"sources": ("a", "b", "c")}, None, [("history", 0.75), ("sources", 0.2)]),
    ("a service of customers", {}, Service("pay", "p", tier=1), [("history", 0.75), ("tier", 0.1)]),
    ("a service of nobody", {}, Service("pay", "p", tier=3), [("history", 0.75), ("tier", -0.1)]),
    ("one in between", {}, Service("pay", "p", tier=2), [("history", 0.75)]),
    ("what depends on it", {"dependants": 3}, None, [("history", 0.75), ("blast-radius", 0.06)]),
    ("not without end", {"dependants": 300}, None, [("history", 0.75), ("blast-radius", 0.1)]),
    ("what it spreads to", {"spread": ("web",)}, None, [("history", 0.75), ("spread", 0.1)]),
    ("a budget that burns", {"burn": 4.1}, None, [("history", 0.75), ("burn-rate", 0.2)]),
    ("a budget that burns as usual", {"burn": 4.0}, None, [("history", 0.75)]),
]


@pytest.mark.parametrize(("evidence", "service", "points"), [r[1:] for r in POINTS], ids=[r[0] for r in POINTS])
def test_each_point(evidence: dict[str, Any], service: Service | None, points: list[tuple[str, float]]) -> None:
    result = weigh(service=service, **evidence)
    assert [point.rule for point in result.points] == [what for what, _ in points]
    assert [point.points for point in result.points] == pytest.approx([share for _, share in points])
    assert all(point.why for point in result.points)
    assert result.value == pytest.approx(min(1, sum(share for _, share in points)), abs=0.001)


@given(EVIDENCE, SERVICES)
def test_confidence_is_a_share_and_labels_move_it_the_way_they_say(evidence: Evidence, service: Service | None) -> None:
    at = score(evidence, service, BY)
    said = evidence.tally
    worse = score(replace(evidence, tally=replace(said, false_positive=said.false_positive + 1)), service, BY)
    better = score(replace(evidence, tally=replace(said, actionable=said.actionable + 1)), service, BY)
    assert 0 <= worse.value <= at.value <= better.value <= 1
    assert better.doubt <= worse.doubt


@given(EVIDENCE, SERVICES)
def test_a_sev1_is_never_doubted_before_people_called_it_a_false_positive(
    evidence: Evidence, service: Service | None
) -> None:
    said = evidence.tally
    result = score(evidence, service, BY)
    if not believed(found(Severity.SEV1), result, a_team()).pages:
        assert said.false_positive >= 5
        assert said.actionable / said.total < BY.page_at


def test_nothing_but_labels_takes_a_sev1_s_page() -> None:
    strict = a_team(confidence=Confidence(page_at=1.0))
    result = weigh(by=strict.confidence)
    assert not believed(found(Severity.SEV2), result, strict).pages
    assert believed(found(Severity.SEV1), result, strict).pages


@pytest.mark.parametrize(
    ("severity", "tally", "pages"),
    [
        (Severity.SEV2, Tally(0, 3), True),
        (Severity.SEV2, Tally(0, 4), False),
        (Severity.SEV2, Tally(2, 4), True),
        (Severity.SEV1, Tally(0, 4), True),  # below the threshold, but four may be chance
        (Severity.SEV1, Tally(0, 5), False),
        (Severity.SEV1, Tally(1, 5), True),
    ],
)
def test_what_people_called_false_often_enough_is_a_ticket(severity: Severity, tally: Tally, pages: bool) -> None:
    assert believed(found(severity), weigh(tally=tally), a_team()).pages is pages


def test_a_page_that_is_not_sent_says_why_and_whom_it_would_have_woken() -> None:
    result = believed(found(Severity.SEV2), weigh(tally=Tally(0, 6)), a_team())
    assert (result.severity, result.said, result.pages, result.noise) == (Severity.SEV3, Severity.SEV2, False, False)
    assert result.reason == (
        "sev3, not sev2 as its source says; Sev2 that touches customers pages: "
        "confidence 30%, below 40%: a ticket; not paged: rota:payments would have been"
    )


def test_what_pages_nobody_anyway_is_as_it_was() -> None:
    ticket = found(Severity.SEV3)
    assert believed(ticket, weigh(tally=Tally(0, 50)), a_team()) is ticket


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
@pytest.mark.parametrize(("a", "b"), [(1, 1), (1, 6), (3, 9), (40, 300)])
def test_the_doubt_is_the_distribution_of_beta(a: int, b: int, share: float) -> None:
    """Against the density itself, summed up in small steps."""
    tally, steps = Tally(a - 1, b - 1), 20_000
    grid = [(n + 0.5) / steps for n in range(steps)]
    density = [x ** (a - 1) * (1 - x) ** (b - 1) for x in grid]
    below = sum(d for x, d in zip(grid, density, strict=True) if x < share) / sum(density)
    result = score(Evidence(tally), None, Confidence(page_at=share))
    assert result.doubt == pytest.approx(below if tally.total else 0.0, abs=1e-3)


# -- in the midst of others ----------------------------------------------------------------------------------------


def a_shop() -> Team:
    services = {
        "web": Service("web", "payments", tier=1, depends_on=("api",)),
        "api": Service("api", "payments", tier=2, depends_on=("db",)),
        "db": Service("db", "payments", tier=2),
    }
    return a_team(services=services)


def labelled(scope: Scope, alert: Alert, tally: Tally) -> Any:
    return replace(scope.observe(alert), tally=tally)


def test_an_incident_knows_how_far_it_is_believed_and_why() -> None:
    scope = Scope(a_shop())
    (opening,) = scope.take(says(service="db")).openings
    assert opening.incident.confidence == 0.79
    assert opening.incident.evidence == (
        "history +75% (nobody labelled it yet: it begins with 3 of 4); blast-radius +4% (2 services depend on it)"
    )


def test_an_alert_that_is_not_believed_opens_a_ticket_and_its_repeats_are_no_news() -> None:
    scope = Scope(a_shop())
    doubted = labelled(scope, says(service="db"), Tally(0, 9))
    (opening,) = scope.take(doubted).openings
    assert (opening.pages, opening.incident.severity, opening.incident.generation) == (False, Severity.SEV3, 1)
    again = scope.take(labelled(scope, says(service="db", at=30), Tally(0, 9)), at=30)
    assert again.mail == {}
    assert again.openings == ()


def test_it_pages_once_another_source_agrees() -> None:
    scope = Scope(a_shop())
    scope.take(labelled(scope, says(service="db"), Tally(0, 9)))
    other = replace(says(service="db", at=10), source="alertmanager")
    scope.take(other, at=10)
    detail = scope.mail["inc1"][-1].detail
    assert (detail["pages"], detail["confidence"]) == ("yes", "0.89")
    assert "generic alert of the same service" in detail["evidence"]


def test_a_fault_that_spreads_is_believed_more_where_it_began() -> None:
    scope = Scope(a_shop())
    scope.take(says(service="web"))
    scope.take(says(service="api", at=5), at=5)
    assert "spread +10% (web alerts too)" in scope.mail["inc1"][-1].detail["evidence"]


def test_noise_needs_no_belief() -> None:
    (opening,) = Scope(a_shop()).take(Scope(a_shop()).observe(says(service="db"), noise=True, pages=False)).openings
    assert (opening.incident.confidence, opening.incident.evidence) == (0.0, "")


# -- burn rate -----------------------------------------------------------------------------------------------------


def burning(long: str, short: str, severity: Severity | None = Severity.SEV4) -> Alert:
    labels = {"burn_rate_long": long, "burn_rate_short": short}
    return an_alert(labels={k: v for k, v in labels.items() if v}, severity=severity)


@pytest.mark.parametrize(
    ("long", "short", "severity"),
    [
        ("14.4", "20", Severity.SEV2),
        ("14.4", "1", Severity.SEV4),  # it is over
        ("2", "20", Severity.SEV4),  # it does not matter yet
        ("4", "4", Severity.SEV4),
        ("14.4", "", Severity.SEV4),
        ("nan", "inf", Severity.SEV4),
        ("much", "-5", Severity.SEV4),
    ],
)
def test_a_budget_that_burns_in_both_windows_is_a_sev2(long: str, short: str, severity: Severity) -> None:
    assert classify(burning(long, short), a_team()).severity is severity


def test_it_says_that_a_mitigation_review_is_due() -> None:
    result = classify(burning("14.4", "20"), a_team())
    assert result.reason == (
        "sev2 as an error budget burns 14.4 times as fast as it would last: a mitigation review is due; "
        "Sev2 that touches customers pages"
    )
    worse = classify(burning("14.4", "20", Severity.SEV1), a_team())
    assert worse.severity is Severity.SEV1
    assert "a mitigation review is due" in worse.reason


def test_what_a_rule_says_of_its_severity_stands() -> None:
    rule = Rule("r", "payments", date(2027, 1, 1), {"title": "*"}, severity=Severity.SEV4)
    assert classify(burning("14.4", "20"), a_team(rules=(rule,))).severity is Severity.SEV4


def test_the_review_is_on_the_timeline_with_what_there_is_to_choose_from() -> None:
    playbook = Playbook("clamp", "payments", date(2027, 1, 1), {"title": "*"}, "limit_lambda_concurrency", "cells")
    for team, proposals in ((a_team(), "no playbook fits"), (a_team(playbooks=(playbook,)), "is proposed: clamp")):
        (opening,) = Scope(team).take(burning("14.4", "20")).openings
        (review,) = [one for one in opening.lines if one.text == "a mitigation review is due"]
        assert proposals in review.reason
    (calm,) = Scope().take(burning("1", "1")).openings
    assert "a mitigation review is due" not in [one.text for one in calm.lines]
