"""Is what AWS finds weighed as its own scales say, over when it says so, and refused by name where it says nothing?"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from incident_bot import plugins
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.clock import instant
from incident_bot.domain.errors import Unparseable
from incident_bot.sources import Parsed, read

SOURCES = plugins.sources()
NOW = instant("2026-01-15T10:05:00Z")


def told(source: str, change: Callable[[dict[str, Any]], Any], example: str = "") -> Parsed:
    """What the source reads in an example of its own (the first, unless named) whose detail was changed."""
    body = next(e.body for e in SOURCES[source].examples if example in e.name)
    detail = dict(body["detail"])
    change(detail)
    return read(SOURCES[source], {**body, "detail": detail}, NOW)


def alert(source: str, example: str = "", **changes: Any) -> Alert:
    (found,) = told(source, lambda detail: detail.update(changes), example).alerts
    return found


def finding(example: str, **changes: Any) -> Alert:
    """The same of Security Hub, whose detail is an array of findings."""

    def change(detail: dict[str, Any]) -> None:
        detail["findings"] = [{**detail["findings"][0], **changes}]

    (found,) = told("security_hub", change, example).alerts
    return found


@pytest.mark.parametrize(
    ("score", "severity"),
    [(10, 1), (9.0, 1), (8.9, 2), (7, 2), (6.9, 3), (4.0, 3), (3.9, 4), (1.0, 4), (0, 5), (None, None), ("8", None)],
)
def test_guardduty_counts_to_ten(score: object, severity: int | None) -> None:
    assert alert("guardduty", severity=score).severity == severity


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ({"Label": "CRITICAL", "Normalized": 1}, 1),
        ({"Label": "INFORMATIONAL"}, 5),
        ({"Normalized": 100}, 1),
        ({"Normalized": 90}, 1),
        ({"Normalized": 89}, 2),
        ({"Normalized": 70}, 2),
        ({"Normalized": 69}, 3),
        ({"Normalized": 40}, 3),
        ({"Normalized": 39}, 4),
        ({"Normalized": 1}, 4),
        ({"Normalized": 0}, 5),
        ({"Label": "PURPLE"}, None),
        (None, None),
    ],
)
def test_asff_has_words_and_numbers_to_a_hundred(said: object, severity: int | None) -> None:
    assert finding("Macie", Severity=said).severity == severity


@pytest.mark.parametrize(
    ("number", "severity"), [(6, 1), (5, 1), (4, 2), (3, 3), (2, 4), (1, 5), (0, None), (99, None), (None, None)]
)
def test_ocsf_numbers_from_informational_to_fatal(number: object, severity: int | None) -> None:
    assert finding("OCSF", severity_id=number).severity == severity


@pytest.mark.parametrize(
    ("word", "exploit", "severity"),
    [
        ("CRITICAL", "YES", 2),
        ("CRITICAL", "NO", 3),
        ("HIGH", "YES", 3),
        ("HIGH", None, 4),
        ("LOW", "YES", 5),
        ("INFORMATIONAL", "NO", 5),
        ("UNTRIAGED", "YES", None),
    ],
)
def test_a_vulnerability_is_a_risk_and_weighs_less(word: str, exploit: str | None, severity: int | None) -> None:
    assert alert("inspector", severity=word, exploitAvailable=exploit).severity == severity


@pytest.mark.parametrize(
    ("example", "changes", "status"),
    [
        ("Macie", {"Workflow": {"Status": "NOTIFIED"}}, Status.FIRING),
        ("Macie", {"Workflow": {"Status": "SUPPRESSED"}}, Status.RESOLVED),
        ("Macie", {"Workflow": {"Status": "RESOLVED"}}, Status.RESOLVED),
        ("Macie", {"RecordState": "ARCHIVED"}, Status.RESOLVED),
        ("Macie", {"Compliance": {"Status": "FAILED"}}, Status.FIRING),
        ("Macie", {"Compliance": {"Status": "PASSED"}}, Status.RESOLVED),
        ("OCSF", {"status_id": 2}, Status.FIRING),
        ("OCSF", {"status_id": 4}, Status.RESOLVED),
        ("OCSF", {"status_id": 5}, Status.RESOLVED),
        ("OCSF", {"activity_id": 3}, Status.RESOLVED),
        ("OCSF", {"compliance": {"status": "Fail"}}, Status.FIRING),
        ("OCSF", {"compliance": {"status": "Pass"}}, Status.RESOLVED),
    ],
)
def test_a_finding_of_security_hub_ends_in_many_ways(example: str, changes: Mapping[str, Any], status: Status) -> None:
    assert finding(example, **changes).status is status


def test_one_finding_has_one_identity_in_both_formats() -> None:
    arn = "arn:aws:macie2:eu-central-1:111122223333:classification/5b3c"
    about = {"uid": arn, "title": "An object in the bucket exports holds personal data"}
    newer = finding("OCSF", finding_info=about, metadata={"product": {"name": "Macie"}})

    assert newer.fingerprint == finding("Macie").fingerprint


def test_what_guardduty_and_inspector_tell_themselves_is_no_other_series_through_security_hub() -> None:
    threat, hole = alert("guardduty"), alert("inspector")
    arn = f"arn:aws:guardduty:eu-central-1:111122223333:detector/d1/finding/{threat.identity['finding']}"

    by_hub = finding("Macie", Id=arn, ProductName="GuardDuty", Severity={"Label": "HIGH"})
    also = finding("vulnerability that Inspector", Id=hole.identity["finding"])

    assert (by_hub.fingerprint, by_hub.severity) == (threat.fingerprint, threat.severity)
    assert (also.fingerprint, also.severity) == (hole.fingerprint, hole.severity)


@pytest.mark.parametrize("product", ["Inspector", "A partner's scanner"])
def test_a_vulnerability_weighs_as_much_whoever_found_it(product: str) -> None:
    holes = [{"Id": "CVE-2026-0001", "ExploitAvailable": "NO"}]

    assert finding("Macie", ProductName=product, Vulnerabilities=holes, Severity={"Label": "CRITICAL"}).severity == 3


@pytest.mark.parametrize(
    ("source", "change", "field"),
    [
        ("guardduty", lambda d: d.pop("id"), "detail.id"),
        ("guardduty", lambda d: d.update(updatedAt="yesterday"), "updatedAt"),
        ("security_hub", lambda d: d.update(findings={}), "detail.findings"),
        ("inspector", lambda d: d.pop("findingArn"), "detail.findingArn"),
        ("inspector", lambda d: d.update(status="OPEN"), "detail.status"),
        ("access_analyzer", lambda d: d.pop("id"), "detail.findingId"),
        ("access_analyzer", lambda d: d.pop("resource"), "detail.resource"),
        ("access_analyzer", lambda d: d.update(status="GONE"), "detail.status"),
        ("aws_config", lambda d: d.pop("configRuleName"), "detail.configRuleName"),
        ("aws_config", lambda d: d.update(newEvaluationResult={"complianceType": "MAYBE"}), "newEvaluationResult"),
        ("health", lambda d: d.pop("eventArn"), "detail.eventArn"),
        ("health", lambda d: d.update(statusCode="ajar"), "detail.statusCode"),
        ("devops_guru", lambda d: d.pop("insightId"), "detail.insightId"),
        ("backup", lambda d: d.pop("state"), "detail.status"),
        ("backup", lambda d: d.update(state="EXPLODED"), "detail.state"),
        ("backup", lambda d: d.pop("resourceArn"), "detail.resourceArn"),
        ("cost_anomaly", lambda d: d.pop("anomalyId"), "anomalyId"),
    ],
)
def test_what_an_event_must_say_is_refused_by_its_name(
    source: str, change: Callable[[dict[str, Any]], Any], field: str
) -> None:
    with pytest.raises(Unparseable) as refusal:
        told(source, change)

    assert field in refusal.value.field


def test_a_finding_that_cannot_be_read_costs_the_others_nothing() -> None:
    found = told("security_hub", lambda detail: detail.update(findings=[7, *detail["findings"], {"Title": "nameless"}]))

    assert len(found.alerts) == 1
    assert [(rejection.index, rejection.field) for rejection in found.rejected] == [(0, ""), (2, "Id")]
