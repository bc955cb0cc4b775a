"""Security Hub findings, in ASFF from Security Hub CSPM and in OCSF from the newer Security Hub; both name one series.

Only high and critical findings are asked for, and none of the controls of Security Hub itself: they are checked day and
night, also where all is well, while the AWS Config rules behind them tell only what changes (source aws_config). A
finding ends when it is archived, resolved or suppressed, or its check passes. What GuardDuty and Inspector tell by
themselves too is the same series here, under their own name, so that nobody is woken twice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import kind
from incident_bot.sources import Example, Parsed, Source, read_each
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._findings import Finding, of_asff, of_ocsf
from incident_bot.sources._risk import risk

ASFF = "Security Hub Findings - Imported"
OCSF = "Findings Imported V2"
COMPLIANCE = 2003  # the class of what Security Hub's own controls find
CONTROLS = "product/aws/securityhub"  # how the ARN of the product ends that these controls are findings of


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The findings of the event: one today, but both formats have an array."""
    event = opened(body, received_at)
    findings = event.detail.get("findings")
    if not isinstance(findings, list):
        raise Unparseable(f"detail.findings is {kind(findings)}, expected an array", field="detail.findings")
    read = of_ocsf if event.kind == OCSF else of_asff
    return read_each(findings, lambda finding: _alert(event, read(finding, event=event, received_at=received_at)))


def _alert(event: Event, finding: Finding) -> Alert:
    place = {"account": finding.account, "region": finding.region}
    console = console_links(event.partition, event.region, f"securityhub/home?region={event.region}#/findings")
    source, identity = _series(finding, place)
    return Alert(
        source=source,
        title=finding.title,
        status=Status.RESOLVED if finding.over else Status.FIRING,
        identity=identity,
        occurred_at=finding.occurred_at,
        started_at=finding.started_at,
        severity=_severity(finding),
        resource=finding.resource if finding.resource.startswith("arn:") else "",
        summary=finding.summary,
        labels=place | finding.labels,
        links=console | finding.links,
    )


def _series(finding: Finding, place: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The source and identity of the series; a finding's id is its ARN, also of a product with a source of its own."""
    if finding.product == "GuardDuty":
        return "guardduty", {**place, "finding": finding.identifier.rpartition("/")[2]}
    if finding.product == "Inspector":
        return "inspector", {"finding": finding.identifier}
    return "security_hub", {**place, "finding": finding.identifier}


def _severity(finding: Finding) -> Severity | None:
    """As the finding says; but a sample is none, and a vulnerability is a risk, whoever found it."""
    if "sample" in finding.labels or finding.title.startswith("[SAMPLE]"):
        return Severity.SEV5
    if finding.vulnerable or finding.product == "Inspector":
        return risk(finding.severity, exploited=finding.exploited)
    return finding.severity


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
_HOLE = "arn:aws:inspector2:eu-central-1:111122223333:finding/0f9e8d7c6b5a"
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
                    "ProductArn": [{"anything-but": {"suffix": CONTROLS}}],
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
    slow_seconds=300,
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
            "a threat that GuardDuty tells too, in OCSF",
            _ocsf(),
            (
                {
                    "source": "guardduty",
                    "title": "A trail was switched off",
                    "status": "firing",
                    "severity": 1,
                    "identity": {**_PLACE, "finding": "a2c4"},
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
            ({"source": "guardduty", "status": "resolved", "identity": {**_PLACE, "finding": "a2c4"}},),
        ),
        Example(
            "a vulnerability that Inspector tells too",
            _asff(
                Id=_HOLE,
                ProductArn="arn:aws:securityhub:eu-central-1::product/aws/inspector",
                ProductName="Inspector",
                Severity={"Label": "CRITICAL"},
                Types=["Software and Configuration Checks/Vulnerabilities/CVE"],
                Vulnerabilities=[{"Id": "CVE-2026-0001", "ExploitAvailable": "YES", "FixAvailable": "YES"}],
            ),
            ({"source": "inspector", "severity": 2, "identity": {"finding": _HOLE}},),
        ),
        Example("an event without findings", sent("aws.securityhub", ASFF, {"findings": []}), ()),
    ),
)
