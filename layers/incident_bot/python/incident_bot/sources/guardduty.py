"""GuardDuty findings: suspicious or malicious activity in an account, which fires until somebody archives it.

GuardDuty never says that the activity is over. A finding that goes on is told again (every six hours by default, each
hour or each 15 minutes if so configured), also after it was archived, and then counts as resolved; whatever is not told
again ends by staleness or by a person. Findings below 4.0 (attempts that compromised nothing) are left to GuardDuty.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.payload import mapping, moment, prose, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import first, labelled, number

FINDING = "GuardDuty Finding"
SCALE = ((9.0, Severity.SEV1), (7.0, Severity.SEV2), (4.0, Severity.SEV3), (1.0, Severity.SEV4))  # from critical to low


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one finding of the event."""
    event = opened(body, received_at)
    return Parsed((_alert(event, event.detail, received_at),))


def _alert(event: Event, finding: Mapping[str, Any], received_at: datetime) -> Alert:
    service, touched = mapping(finding, "service"), mapping(finding, "resource")
    identifier = text(finding, "id", required=True, path="detail.")
    account, region = text(finding, "accountId") or event.account, text(finding, "region") or event.region
    kind, sample = text(finding, "type", required=True, path="detail."), _is_sample(finding, service)
    occurred_at = moment(finding, "updatedAt", received_at) or event.at
    started_at = moment(service, "eventFirstSeen", received_at) or moment(finding, "createdAt", received_at)
    return Alert(
        source="guardduty",
        title=prose(finding, "title") or kind,
        status=Status.RESOLVED if service.get("archived") is True else Status.FIRING,
        identity={"account": account, "region": region, "finding": identifier},
        occurred_at=occurred_at,
        started_at=min(started_at or occurred_at, occurred_at),
        severity=Severity.SEV5 if sample else _severity(number(finding, "severity")),
        resource=_resource(touched, event.partition, region, account),
        summary=prose(finding, "description"),
        labels=labelled(
            account=account,
            region=region,
            type=kind,
            score=number(finding, "severity"),
            resource_type=text(touched, "resourceType"),
            user=mapping(touched, "accessKeyDetails").get("userName"),
            sample=sample or None,
        ),
        links=console_links(
            event.partition,
            region,
            f"guardduty/home?region={region}#/findings?macros=current&fId={quote(identifier, safe='')}",
        ),
    )


def _severity(score: float | None) -> Severity | None:
    """https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html"""
    if score is None:
        return None
    return next((severity for least, severity in SCALE if score >= least), Severity.SEV5)


def _is_sample(finding: Mapping[str, Any], service: Mapping[str, Any]) -> bool:
    """Whether somebody pressed "Generate sample findings"."""
    return prose(finding, "title").startswith("[SAMPLE]") or mapping(service, "additionalInfo").get("sample") is True


def _resource(touched: Mapping[str, Any], partition: str, region: str, account: str) -> str:
    """The ARN of what is affected, where the finding says or clearly implies it."""
    instance = mapping(touched, "instanceDetails").get("instanceId")
    if isinstance(instance, str) and instance.startswith("i-"):
        return f"arn:{partition}:ec2:{region}:{account}:instance/{instance}"
    named = (
        (mapping(touched, "lambdaDetails"), "functionArn"),
        (mapping(touched, "rdsDbInstanceDetails"), "dbInstanceArn"),
        (mapping(touched, "eksClusterDetails"), "arn"),
        (mapping(touched, "ecsClusterDetails"), "arn"),
        (first(touched, "s3BucketDetails"), "arn"),
    )
    return next((found for details, name in named if (found := text(details, name))), "")


_FINDING: Mapping[str, Any] = {
    "schemaVersion": "2.0",
    "accountId": "111122223333",
    "region": "eu-central-1",
    "partition": "aws",
    "id": "a2c4f1d09b7e43d8b1c0e5f6a7d8c9b0",
    "arn": "arn:aws:guardduty:eu-central-1:111122223333:detector/d1/finding/a2c4f1d09b7e43d8b1c0e5f6a7d8c9b0",
    "type": "CryptoCurrency:EC2/BitcoinTool.B!DNS",
    "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1b2c3d4e5f60718"}},
    "service": {
        "serviceName": "guardduty",
        "count": 3,
        "archived": False,
        "eventFirstSeen": "2026-01-15T09:41:00.000Z",
        "eventLastSeen": "2026-01-15T09:58:00.000Z",
    },
    "severity": 8,
    "createdAt": "2026-01-15T09:50:12.114Z",
    "updatedAt": "2026-01-15T09:59:40.528Z",
    "title": "i-0a1b2c3d4e5f60718 asks for the address of a mining pool.",
    "description": "The instance resolved a name that belongs to a Bitcoin mining pool.",
}
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "finding": "a2c4f1d09b7e43d8b1c0e5f6a7d8c9b0"}


def _finding(**changes: Any) -> Mapping[str, Any]:
    return sent("aws.guardduty", FINDING, {k: v for k, v in {**_FINDING, **changes}.items() if v is not None})


SOURCE = Source(
    name="guardduty",
    reference="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
    parse=parse,
    labels=("account", "region", "type", "score", "resource_type", "user", "sample"),
    recognise=recognises("aws.guardduty", FINDING),
    event_patterns=(
        {
            "source": ["aws.guardduty"],
            "detail-type": [FINDING],
            "detail": {"severity": [{"numeric": [">=", 4]}]},
        },
    ),
    repeats_within_seconds=6 * 3600,
    slow_seconds=300,
    examples=(
        Example(
            "an instance mines coins",
            _finding(),
            (
                {
                    "title": "i-0a1b2c3d4e5f60718 asks for the address of a mining pool.",
                    "status": "firing",
                    "severity": 2,
                    "identity": _IDENTITY,
                    "resource": "arn:aws:ec2:eu-central-1:111122223333:instance/i-0a1b2c3d4e5f60718",
                    "occurred_at": "2026-01-15T09:59:40.528000Z",
                    "started_at": "2026-01-15T09:41:00.000000Z",
                    "labels": {"type": "CryptoCurrency:EC2/BitcoinTool.B!DNS", "score": "8"},
                },
            ),
        ),
        Example(
            "it is told again, and worse, after somebody archived it",
            _finding(severity=9.3, service={"archived": True, "count": 12}, updatedAt="2026-01-15T10:04:40Z"),
            ({"status": "resolved", "severity": 1, "identity": _IDENTITY},),
        ),
        Example(
            "a member's attack sequence seen by the administrator, with little said about it",
            _finding(
                accountId="444455556666",
                type="AttackSequence:IAM/CompromisedCredentials",
                severity=9.0,
                resource={"resourceType": "AttackSequence"},
                service=None,
                title=None,
                createdAt=None,
                updatedAt=None,
            ),
            (
                {
                    "title": "AttackSequence:IAM/CompromisedCredentials",
                    "severity": 1,
                    "identity": {**_IDENTITY, "account": "444455556666"},
                    "resource": "",
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                },
            ),
        ),
        Example(
            "a bucket in China",
            {
                **_finding(
                    region="cn-north-1",
                    type="Policy:S3/BucketAnonymousAccessGranted",
                    resource={"resourceType": "S3Bucket", "s3BucketDetails": [{"arn": "arn:aws-cn:s3:::invoices"}]},
                ),
                "region": "cn-north-1",
            },
            ({"resource": "arn:aws-cn:s3:::invoices", "labels": {"resource_type": "S3Bucket"}},),
        ),
        Example(
            "a sample somebody generated",
            _finding(title="[SAMPLE] A mining pool was asked for.", severity=8),
            ({"severity": 5, "labels": {"sample": "true"}},),
        ),
    ),
)
