"""Which service is an alert about, how bad is it, does it wake somebody - and does the reason say what decided?"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.classify import classify, holding, pages, playbook_fields
from incident_bot.domain.team import Mode, Playbook, Resource, Rule, Service, Team
from tests.building import a_service, a_team, an_alert

PAY = "arn:aws:lambda:us-east-1:000000000000:function:pay"
SERVICES = {
    "pay": Service("pay", "payments", tier=1, alarms=("pay-",), resources=(Resource(PAY),)),
    "payroll": Service("payroll", "people", tier=3, alarms=("pay-roll-",), resources=(Resource(f"{PAY}roll"),)),
    "batch": Service("batch", "data", tier=2, environment="staging"),
}
REVIEW = date(2027, 1, 1)


def a_rule(**changes: object) -> Rule:
    return replace(Rule("r1", "payments", REVIEW, {"title": "*"}), **changes)  # type: ignore[arg-type]


def with_rules(*rules: Rule) -> Team:
    return a_team(services=SERVICES, rules=rules)


NAMED = [
    ("the service that the alert names", an_alert(service="batch"), "batch"),
    ("a name nobody configured stays, as the default team's", an_alert(service="mystery", title="x"), "mystery"),
    ("no name at all", an_alert(service="", title="x"), "unknown"),
    ("whose resource it is on", an_alert(service="", title="x", resource=PAY), "pay"),
    ("whose resource it is a part of", an_alert(service="", title="x", resource=f"{PAY}:live"), "pay"),
    ("a resource whose name only begins the same", an_alert(service="", title="x", resource=f"{PAY}roll"), "payroll"),
    ("a longer name that nobody has", an_alert(service="", title="x", resource=f"{PAY}ment"), "unknown"),
    ("whose alarms are named so", an_alert(service="", title="pay-errors"), "pay"),
    ("the longest prefix of two", an_alert(service="", title="pay-roll-errors"), "payroll"),
    (
        "the resource beats the name",
        an_alert(service="", title="pay-x", resource=f"{PAY}roll"),
        "payroll",
    ),
    ("a hint nobody configured yields to the resource", an_alert(service="mystery", title="x", resource=PAY), "pay"),
]


@pytest.mark.parametrize(("alert", "service"), [row[1:] for row in NAMED], ids=[row[0] for row in NAMED])
def test_the_service(alert: Alert, service: str) -> None:
    found = classify(alert, with_rules())
    owners = {"pay": "payments", "payroll": "people", "batch": "data"}
    assert found.service == service
    assert found.owner == owners.get(service, "payments")  # nobody's alerts are the default team's
    assert found.environment == ("staging" if service == "batch" else "production")


SEVERITIES = [
    (
        "a rule beats the source",
        an_alert(service="batch", severity=Severity.SEV4),
        (a_rule(severity=Severity.SEV1),),
        "sev1 by rule r1; Sev1 pages",
    ),
    (
        "the first rule that matches decides",
        an_alert(service="batch"),
        (a_rule(when={"title": "other"}), a_rule(name="r2", severity=Severity.SEV3), a_rule(severity=Severity.SEV1)),
        "sev3 by rule r2; below the paging threshold: a ticket",
    ),
    (
        "a rule without severity leaves the source's word",
        an_alert(service="batch", severity=Severity.SEV2),
        (a_rule(category="latency"),),
        "sev2 as its source says; Sev2 that touches customers pages",
    ),
    (
        "without rule and word the tier decides",
        an_alert(service="pay", severity=None),
        (),
        "sev2 as a tier 1 service's default; Sev2 that touches customers pages",
    ),
    (
        "a tier that touches no customer",
        an_alert(service="payroll", severity=None),
        (),
        "sev4 as a tier 3 service's default; below the paging threshold: a ticket",
    ),
    (
        "nothing says anything",
        an_alert(service="mystery", severity=None, title="x"),
        (),
        "sev3 as nothing says otherwise; below the paging threshold: a ticket",
    ),
    (
        "Sev2 of a service that touches nobody",
        an_alert(service="payroll", severity=Severity.SEV2),
        (),
        "sev2 as its source says; below the paging threshold: a ticket",
    ),
    (
        "Sev2 of a service nobody knows",
        an_alert(service="mystery", severity=Severity.SEV2, title="x"),
        (),
        "sev2 as its source says; Sev2 that touches customers pages",
    ),
    (
        "noise never pages, however bad it says it is",
        an_alert(service="pay", severity=Severity.SEV1),
        (a_rule(noise=True),),
        "sev1 as its source says; a rule records it as noise",
    ),
]


@pytest.mark.parametrize(("alert", "rules", "reason"), [row[1:] for row in SEVERITIES], ids=[r[0] for r in SEVERITIES])
def test_severity_and_page(alert: Alert, rules: tuple[Rule, ...], reason: str) -> None:
    found = classify(alert, with_rules(*rules))
    assert found.reason == reason
    assert found.pages == ("ticket" not in reason and "noise" not in reason)
    assert found.severity.label == reason[:4]


RECORDS = [
    ("milder than a ticket", an_alert(service="batch", severity=Severity.SEV5), Severity.SEV5, "record"),
    ("still a ticket", an_alert(service="batch", severity=Severity.SEV4), Severity.SEV5, "ticket"),
    ("where more is recorded", an_alert(service="batch", severity=Severity.SEV4), Severity.SEV4, "record"),
    ("nobody says that it is mild", an_alert(service="payroll", severity=None), Severity.SEV4, "ticket"),
    ("where nothing is", an_alert(service="batch", severity=Severity.SEV5), None, "ticket"),
    ("what wakes people is never one", an_alert(service="pay", severity=Severity.SEV2), Severity.SEV5, "page"),
    (
        "what burns an error budget is worse than it says",
        an_alert(service="pay", severity=Severity.SEV5, labels={"burn_rate_long": "14.4", "burn_rate_short": "14.4"}),
        Severity.SEV5,
        "page",
    ),
]


@pytest.mark.parametrize(("alert", "records", "level"), [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS])
def test_it_is_a_page_a_ticket_or_a_record(alert: Alert, records: Severity | None, level: str) -> None:
    found = classify(alert, replace(with_rules(), records=records))
    assert {(True, False): "page", (False, False): "ticket", (False, True): "record"}[found.pages, found.noise] == level
    assert level in found.reason


def test_a_rule_names_the_service_its_category_and_its_hold() -> None:
    rule = a_rule(service="batch", category="capacity", hold_seconds=45)
    found = classify(an_alert(service="pay"), with_rules(rule))
    assert (found.service, found.owner, found.category, found.hold_seconds, found.rule) == (
        "batch",
        "data",
        "capacity",
        45,
        "r1",
    )


def test_a_rule_that_matches_nothing_changes_nothing() -> None:
    """A custom rule must not silently disable the default."""
    alert = an_alert(service="pay")
    useless = a_rule(when={"labels.nowhere": "*"}, noise=True)
    assert classify(alert, with_rules(useless)) == classify(alert, with_rules())


@given(severity=st.sampled_from(Severity), tier=st.integers(1, 3), noise=st.booleans())
def test_a_worse_alert_never_wakes_fewer(severity: Severity, tier: int, noise: bool) -> None:
    service = a_service(tier=tier)
    wakes, rule, reason = pages(severity, service, noise=noise)
    assert rule
    assert reason
    if wakes and severity > Severity.SEV1:
        assert pages(Severity(severity - 1), service, noise=noise).wakes
    if noise:
        assert not wakes


def a_playbook(**changes: object) -> Playbook:
    playbook = Playbook("p1", "payments", REVIEW, {"category": "errors"}, "roll_back", "cells", Mode.FULL)
    return replace(playbook, **{"hold_page_seconds": 60, **changes})  # type: ignore[arg-type]


HOLDS = [
    ("a full-mode playbook that holds", (a_playbook(),), {}, "p1"),
    ("one that may not act unattended", (a_playbook(mode=Mode.CANARY),), {}, ""),
    ("one that does not hold", (a_playbook(hold_page_seconds=0),), {}, ""),
    ("one that lost its full mode", (a_playbook(),), {"p1": Mode.PROPOSE}, ""),
    ("one that earned its full mode", (a_playbook(mode=Mode.MONITOR),), {"p1": Mode.FULL}, "p1"),
    ("one for something else", (a_playbook(when={"category": "latency"}),), {}, ""),
    ("one by the decided severity", (a_playbook(when={"severity": "sev1"}),), {}, "p1"),
    ("the first that matches would act, so it decides", (a_playbook(mode=Mode.PROPOSE), a_playbook(name="p2")), {}, ""),
]


@pytest.mark.parametrize(("playbooks", "modes", "name"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS])
def test_what_may_hold_a_page(playbooks: tuple[Playbook, ...], modes: dict[str, Mode], name: str) -> None:
    team = replace(with_rules(a_rule(severity=Severity.SEV1, category="errors")), playbooks=playbooks)
    alert = an_alert(service="pay", severity=Severity.SEV4)
    found = holding(classify(alert, team), team, modes)
    assert (found.name if found else "") == name


def test_a_playbook_sees_what_was_decided_not_what_the_source_said() -> None:
    team = with_rules(a_rule(severity=Severity.SEV1, category="errors"))
    alert = an_alert(service="pay", severity=Severity.SEV4, status=Status.FIRING)
    fields = playbook_fields(alert, classify(alert, team))
    assert (fields["severity"], fields["category"], fields["status"]) == ("sev1", "errors", "firing")
