"""Findings as Security Hub passes them on, in ASFF or in OCSF, read into what both of them say."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from incident_bot.domain.alert import Severity
from incident_bot.payload import links, mapping, moment, prose, severity, text
from incident_bot.sources._event import Event
from incident_bot.sources._fields import first, labelled, milliseconds, number

# https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Severity.html
NORMALIZED = ((90, Severity.SEV1), (70, Severity.SEV2), (40, Severity.SEV3), (1, Severity.SEV4), (0, Severity.SEV5))
SEVERITY_IDS: Mapping[float, Severity] = {
    1: Severity.SEV5,  # informational
    2: Severity.SEV4,  # low
    3: Severity.SEV3,  # medium
    4: Severity.SEV2,  # high
    5: Severity.SEV1,  # critical
    6: Severity.SEV1,  # fatal
}
CLOSED = 3  # the activity
SETTLED = (3, 4, 5, 6)  # the statuses suppressed, resolved, archived and deleted


class Finding(NamedTuple):
    """What both formats say of one finding; `over` is that nobody needs to look at it any more."""

    identifier: str
    product: str
    account: str
    region: str
    title: str
    over: bool
    severity: Severity | None
    vulnerable: bool  # it is about a vulnerability
    exploited: bool  # for which an exploit is known
    occurred_at: datetime
    started_at: datetime
    resource: str
    summary: str
    labels: dict[str, str]
    links: dict[str, str]


def of_asff(finding: Mapping[str, Any], *, event: Event, received_at: datetime) -> Finding:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html"""
    touched, compliance = first(finding, "Resources"), text(mapping(finding, "Compliance"), "Status")
    workflow, record = text(mapping(finding, "Workflow"), "Status"), text(finding, "RecordState")
    updated = moment(finding, "UpdatedAt", received_at) or event.at
    seen = moment(finding, "FirstObservedAt", received_at) or moment(finding, "CreatedAt", received_at)
    identifier, product = text(finding, "Id", required=True), prose(finding, "ProductName")
    recommended = mapping(mapping(finding, "Remediation"), "Recommendation")
    return Finding(
        identifier=identifier,
        product=product,
        account=text(finding, "AwsAccountId") or event.account,
        region=text(finding, "Region") or event.region,
        title=prose(finding, "Title") or identifier,
        over=record == "ARCHIVED" or workflow in ("RESOLVED", "SUPPRESSED") or compliance == "PASSED",
        severity=_asff_severity(mapping(finding, "Severity")),
        vulnerable=bool(finding.get("Vulnerabilities")),
        exploited=first(finding, "Vulnerabilities").get("ExploitAvailable") == "YES",
        occurred_at=updated,
        started_at=min(seen or updated, updated),
        resource=text(touched, "Id"),
        summary=prose(finding, "Description"),
        labels=labelled(
            product=product,
            type=_first_string(finding.get("Types")),
            resource_type=touched.get("Type"),
            workflow=workflow,
            compliance=compliance,
            sample=(finding.get("Sample") is True) or None,
        ),
        links=links({"source": prose(finding, "SourceUrl"), "runbook": prose(recommended, "Url")}),
    )


def _asff_severity(said: Mapping[str, Any]) -> Severity | None:
    normalized = number(said, "Normalized")
    if found := severity(prose(said, "Label")):
        return found
    return next((level for least, level in NORMALIZED if normalized is not None and normalized >= least), None)


def of_ocsf(finding: Mapping[str, Any], *, event: Event, received_at: datetime) -> Finding:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/security-hub-adv-ocsf-findings.html"""
    about, cloud = mapping(finding, "finding_info", required=True), mapping(finding, "cloud")
    touched, at = first(finding, "resources"), partial(milliseconds, received_at=received_at)
    updated = at(finding, "time") or at(about, "modified_time") or event.at
    seen = at(about, "first_seen_time") or at(about, "created_time") or updated
    status, compliance = number(finding, "status_id"), text(mapping(finding, "compliance"), "status")
    identifier = text(about, "uid", required=True, path="finding_info.")
    product = prose(mapping(mapping(finding, "metadata"), "product"), "name")
    return Finding(
        identifier=identifier,
        product=product,
        account=text(mapping(cloud, "account"), "uid") or event.account,
        region=text(cloud, "region") or event.region,
        title=prose(about, "title") or identifier,
        over=status in SETTLED or number(finding, "activity_id") == CLOSED or compliance.lower() == "pass",
        severity=SEVERITY_IDS.get(number(finding, "severity_id") or 0),
        vulnerable=bool(finding.get("vulnerabilities")),
        exploited=first(finding, "vulnerabilities").get("is_exploit_available") is True,
        occurred_at=updated,
        started_at=min(seen, updated),
        resource=text(touched, "uid"),
        summary=prose(about, "desc"),
        labels=labelled(
            product=product,
            type=_first_string(about.get("types")),
            resource_type=touched.get("type"),
            workflow=finding.get("status"),
            compliance=compliance,
        ),
        links=links({"runbook": _first_string(mapping(finding, "remediation").get("references"))}),
    )


def _first_string(values: object) -> str:
    return next((value for value in values if isinstance(value, str)), "") if isinstance(values, list) else ""
