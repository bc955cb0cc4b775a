"""Security Hub findings, in ASFF from Security Hub CSPM and in OCSF from the newer Security Hub; both name one series.

Only high and critical findings are asked for, and none of the controls of Security Hub itself: they are checked day and
night, also where all is well, while the AWS Config rules behind them tell only what changes (source aws_config). A
finding ends when it is archived, resolved or suppressed, or its check passes.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import kind, links, mapping, moment, prose, severity, text
from incident_bot.sources import Example, Parsed, Source, read_each
from incident_bot.sources._event import Event, first, labelled, milliseconds, number, opened, recognises, sent

ASFF = "Security Hub Findings - Imported"
OCSF = "Findings Imported V2"
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
COMPLIANCE = 2003  # the class of what Security Hub's own controls find


class Finding(NamedTuple):
    """What both formats say of one finding."""

    identifier: str
    account: str
    region: str
    title: str
    over: bool
    severity: Severity | None
    occurred_at: datetime
    started_at: datetime
    resource: str
    summary: str
    labels: dict[str, str]
    links: dict[str, str]


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The findings of the event: one today, but both formats have an array."""
    event = opened(body, received_at)
    findings = event.detail.get("findings")
    if not isinstance(findings, list):
        raise Unparseable(f"detail.findings is {kind(findings)}, expected an array", field="detail.findings")
    read = _of_ocsf if event.kind == OCSF else _of_asff
    return read_each(findings, lambda finding: _alert(event, read(finding, event=event, received_at=received_at)))


def _alert(event: Event, finding: Finding) -> Alert:
    place = {"account": finding.account, "region": finding.region}
    console = console_links(event.partition, event.region, f"securityhub/home?region={event.region}#/findings")
    return Alert(
        source="security_hub",
        title=finding.title,
        status=Status.RESOLVED if finding.over else Status.FIRING,
        identity={**place, "finding": finding.identifier},
        occurred_at=finding.occurred_at,
        started_at=min(finding.started_at, finding.occurred_at),
        severity=finding.severity,
        resource=finding.resource if finding.resource.startswith("arn:") else "",
        summary=finding.summary,
        labels=place | finding.labels,
        links=console | finding.links,
    )


def _of_asff(finding: Mapping[str, Any], *, event: Event, received_at: datetime) -> Finding:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html"""
    touched, compliance = first(finding, "Resources"), text(mapping(finding, "Compliance"), "Status")
    workflow, record = text(mapping(finding, "Workflow"), "Status"), text(finding, "RecordState")
    updated = moment(finding, "UpdatedAt", received_at) or event.at
    seen = moment(finding, "FirstObservedAt", received_at) or moment(finding, "CreatedAt", received_at)
    sample = finding.get("Sample") is True
    return Finding(
        identifier=text(finding, "Id", required=True),
        account=text(finding, "AwsAccountId") or event.account,
        region=text(finding, "Region") or event.region,
        title=prose(finding, "Title") or text(finding, "Id", required=True),
        over=record == "ARCHIVED" or workflow in ("RESOLVED", "SUPPRESSED") or compliance == "PASSED",
        severity=Severity.SEV5 if sample else _asff_severity(mapping(finding, "Severity")),
        occurred_at=updated,
        started_at=seen or updated,
        resource=text(touched, "Id"),
        summary=prose(finding, "Description"),
        labels=labelled(
            product=finding.get("ProductName"),
            type=_first_string(finding.get("Types")),
            resource_type=touched.get("Type"),
            workflow=workflow,
            compliance=compliance,
            sample=sample or None,
        ),
        links=links(
            {
                "source": prose(finding, "SourceUrl"),
                "runbook": prose(mapping(mapping(finding, "Remediation"), "Recommendation"), "Url"),
            }
        ),
    )


def _asff_severity(said: Mapping[str, Any]) -> Severity | None:
    """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Severity.html: the label, or what a number means."""
    normalized = number(said, "Normalized")
    if found := severity(prose(said, "Label")):
        return found
    return next((level for least, level in NORMALIZED if normalized is not None and normalized >= least), None)


def _of_ocsf(finding: Mapping[str, Any], *, event: Event, received_at: datetime) -> Finding:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/security-hub-adv-ocsf-findings.html"""
    about, cloud = mapping(finding, "finding_info", required=True), mapping(finding, "cloud")
    touched, at = first(finding, "resources"), partial(milliseconds, received_at=received_at)
    updated = at(finding, "time") or at(about, "modified_time") or event.at
    status, product = number(finding, "status_id"), mapping(mapping(finding, "metadata"), "product")
    compliance = text(mapping(finding, "compliance"), "status")
    identifier = text(about, "uid", required=True, path="finding_info.")
    return Finding(
        identifier=identifier,
        account=text(mapping(cloud, "account"), "uid") or event.account,
        region=text(cloud, "region") or event.region,
        title=prose(about, "title") or identifier,
        over=status in SETTLED or number(finding, "activity_id") == CLOSED or compliance.lower() == "pass",
        severity=SEVERITY_IDS.get(number(finding, "severity_id") or 0),
        occurred_at=updated,
        started_at=at(about, "first_seen_time") or at(about, "created_time") or updated,
        resource=text(touched, "uid"),
        summary=prose(about, "desc"),
        labels=labelled(
            product=product.get("name"),
            type=_first_string(about.get("types")),
            resource_type=touched.get("type"),
            workflow=finding.get("status"),
            compliance=compliance,
        ),
        links=links({"runbook": _first_string(mapping(finding, "remediation").get("references"))}),
    )


def _first_string(values: object) -> str:
    return next((value for value in values if isinstance(value, str)), "") if isinstance(values, list) else ""


_MACIE = "arn:aws:macie2:eu-central-1:111122223333:classification/5b3c"
_ASFF: Mapping[str, Any] = {
    "SchemaVersion": "2018-10-08",
    "Id": _MACIE,
    "ProductArn": "arn:aws:securityhub:eu-central-1::product/aws/macie",
    "ProductName": "Macie",
    "GeneratorId": "aws/macie",
    "AwsAccountId": "111122223333",
    "Region": "eu-central-1",
    "Types": ["Sensitive Data Identifications/PII/SensitiveData:S3Object-Personal"],
    "CreatedAt": "2026-01-15T09:50:00.000Z",
    "UpdatedAt": "2026-01-15T09:58:12.345Z",
    "Severity": {"Label": "HIGH", "Normalized": 70},
    "Title": "An object in the bucket exports holds personal data",
    "Description": "The object holds names and dates of birth.",
    "Remediation": {"Recommendation": {"Text": "Move it", "Url": "https://docs.example.com/macie"}},
    "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::exports", "Partition": "aws", "Region": "eu-central-1"}],
    "Workflow": {"Status": "NEW"},
    "RecordState": "ACTIVE",
}
_THREAT = "arn:aws:guardduty:eu-central-1:111122223333:detector/d1/finding/a2c4"
_OCSF: Mapping[str, Any] = {
    "activity_id": 1,
    "class_name": "Detection Finding",
    "class_uid": 2004,
    "cloud": {"account": {"uid": "111122223333"}, "region": "eu-central-1", "cloud_partition": "aws"},
    "finding_info": {
        "uid": _THREAT,
        "title": "A trail was switched off",
        "desc": "Somebody stopped the trail audit.",
        "types": ["Stealth:IAMUser/CloudTrailLoggingDisabled"],
        "first_seen_time": 1768470600000,
        "modified_time": 1768471140000,
    },
    "metadata": {"product": {"name": "GuardDuty", "vendor_name": "AWS"}, "uid": "1d24", "version": "1.5.0"},
    "remediation": {"references": ["https://docs.example.com/stealth"]},
    "resources": [{"type": "AWS::IAM::AccessKey", "uid": "AKIAEXAMPLE"}],
    "severity": "Critical",
    "severity_id": 5,
    "status": "New",
    "status_id": 1,
    "time": 1768471140000,
}
_PLACE = {"account": "111122223333", "region": "eu-central-1"}


def _asff(**changes: Any) -> Mapping[str, Any]:
    return sent("aws.securityhub", ASFF, {"findings": [{**_ASFF, **changes}]}, _MACIE)


def _ocsf(**changes: Any) -> Mapping[str, Any]:
    return sent("aws.securityhub", OCSF, {"findings": [{**_OCSF, **changes}]}, "1d24")


SOURCE = Source(
    name="security_hub",
    reference="https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html",
    parse=parse,
    labels=("account", "region", "product", "type", "resource_type", "workflow", "compliance", "sample"),
    recognise=recognises("aws.securityhub", ASFF, OCSF),
    event_patterns=(
        {
            "source": ["aws.securityhub"],
            "detail-type": [ASFF],
            "detail": {
                "findings": {
                    "ProductName": [{"anything-but": ["Security Hub"]}],
                    "Severity": {"Label": ["HIGH", "CRITICAL"]},
                }
            },
        },
        {
            "source": ["aws.securityhub"],
            "detail-type": [OCSF],
            "detail": {"findings": {"class_uid": [{"anything-but": [COMPLIANCE]}], "severity_id": [4, 5, 6]}},
        },
    ),
    repeats_within_seconds=7 * 24 * 3600,
    examples=(
        Example(
            "Macie found personal data",
            _asff(),
            (
                {
                    "title": "An object in the bucket exports holds personal data",
                    "status": "firing",
                    "severity": 2,
                    "identity": {**_PLACE, "finding": _MACIE},
                    "resource": "arn:aws:s3:::exports",
                    "occurred_at": "2026-01-15T09:58:12.345000Z",
                    "started_at": "2026-01-15T09:50:00.000000Z",
                    "labels": {"product": "Macie", "workflow": "NEW"},
                    "links": {"runbook": "https://docs.example.com/macie"},
                },
            ),
        ),
        Example(
            "somebody resolved it",
            _asff(Workflow={"Status": "RESOLVED"}, UpdatedAt="2026-01-15T10:04:00Z"),
            ({"status": "resolved", "identity": {**_PLACE, "finding": _MACIE}},),
        ),
        Example(
            "its product archived one of another account and region, with a number for severity and no resource",
            _asff(
                AwsAccountId="444455556666",
                Region="eu-west-1",
                RecordState="ARCHIVED",
                Severity={"Label": "CRITICAL", "Normalized": 95},
                Resources=[],
                SourceUrl="javascript:alert(1)",
                FirstObservedAt=None,
                Title=None,
            ),
            (
                {
                    "status": "resolved",
                    "severity": 1,
                    "title": _MACIE,
                    "resource": "",
                    "labels": {"region": "eu-west-1"},
                },
            ),
        ),
        Example(
            "a threat, in OCSF",
            _ocsf(),
            (
                {
                    "title": "A trail was switched off",
                    "status": "firing",
                    "severity": 1,
                    "identity": {**_PLACE, "finding": _THREAT},
                    "resource": "",
                    "occurred_at": "2026-01-15T09:59:00.000000Z",
                    "started_at": "2026-01-15T09:50:00.000000Z",
                    "labels": {"product": "GuardDuty", "type": "Stealth:IAMUser/CloudTrailLoggingDisabled"},
                },
            ),
        ),
        Example(
            "it was suppressed",
            _ocsf(status="Suppressed", status_id=3, activity_id=2, time=1768471440000),
            ({"status": "resolved", "identity": {**_PLACE, "finding": _THREAT}},),
        ),
        Example("an event without findings", sent("aws.securityhub", ASFF, {"findings": []}), ()),
    ),
)
