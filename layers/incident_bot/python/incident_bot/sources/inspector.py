"""Amazon Inspector findings: a vulnerability or an open port, which fires until Inspector closes or suppresses it.

Only high and critical findings are asked for. A vulnerability is a risk and no incident yet, so it weighs less than
the same word elsewhere: one level less where an exploit is known, two where none is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, prose, severity, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import first, labelled, number, spelled
from incident_bot.sources._risk import risk

FINDING = "Inspector2 Finding"
STATUSES = {"ACTIVE": Status.FIRING, "CLOSED": Status.RESOLVED, "SUPPRESSED": Status.RESOLVED}
FORMS = ("%a %b %d %H:%M:%S.%f UTC %Y", "%b %d, %Y, %I:%M:%S %p")  # the second as it was until 2023


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one finding of the event."""
    return Parsed((_alert(opened(body, received_at)),))


def _alert(event: Event) -> Alert:
    finding, touched = event.detail, first(event.detail, "resources")
    arn, said = (
        text(finding, "findingArn", required=True, path="detail."),
        text(finding, "status", required=True, path="detail."),
    )
    if said not in STATUSES:
        raise Unparseable(f"detail.status is none of {', '.join(STATUSES)}: {shown(said)!r}", field="detail.status")
    account = text(finding, "awsAccountId") or event.account
    first_seen = spelled(finding, "firstObservedAt", *FORMS) or event.at
    return Alert(
        source="inspector",
        title=prose(finding, "title") or arn,
        status=STATUSES[said],
        identity={"finding": arn},
        occurred_at=event.at,
        started_at=min(first_seen, event.at),
        # https://docs.aws.amazon.com/inspector/latest/user/findings-understanding-severity.html
        severity=risk(severity(text(finding, "severity")), exploited=finding.get("exploitAvailable") == "YES"),
        resource=_resource(event, account, text(touched, "id")),
        summary=prose(finding, "description"),
        labels=labelled(
            account=account,
            region=event.region,
            type=finding.get("type"),
            resource_type=touched.get("type"),
            vulnerability=mapping(finding, "packageVulnerabilityDetails").get("vulnerabilityId"),
            score=number(finding, "inspectorScore"),
            exploit=finding.get("exploitAvailable"),
            fix=finding.get("fixAvailable"),
        ),
        links=console_links(event.partition, event.region, f"inspector/v2/home?region={event.region}#/findings/all"),
    )


def _resource(event: Event, account: str, identifier: str) -> str:
    """Inspector names everything by its ARN, but for instances."""
    if identifier.startswith("i-"):
        return f"arn:{event.partition}:ec2:{event.region}:{account}:instance/{identifier}"
    return identifier if identifier.startswith("arn:") else ""


_ARN = "arn:aws:inspector2:eu-central-1:111122223333:finding/0f9e8d7c6b5a"
_FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:checkout:$LATEST"
_FINDING: Mapping[str, Any] = {
    "awsAccountId": "111122223333",
    "description": "A crafted request makes the parser run what it is sent.",
    "exploitAvailable": "YES",
    "findingArn": _ARN,
    "firstObservedAt": "Thu Jan 15 09:58:44.356 UTC 2026",
    "fixAvailable": "YES",
    "inspectorScore": 9.8,
    "lastObservedAt": "Thu Jan 15 09:58:44.356 UTC 2026",
    "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-2026-0001", "vulnerablePackages": [{"name": "parser"}]},
    "resources": [{"id": _FUNCTION, "partition": "aws", "region": "eu-central-1", "type": "AWS_LAMBDA_FUNCTION"}],
    "severity": "CRITICAL",
    "status": "ACTIVE",
    "title": "CVE-2026-0001 - parser",
    "type": "PACKAGE_VULNERABILITY",
    "updatedAt": "Thu Jan 15 10:00:02.951 UTC 2026",
}


def _finding(**changes: Any) -> Mapping[str, Any]:
    return sent("aws.inspector2", FINDING, {k: v for k, v in {**_FINDING, **changes}.items() if v is not None})


SOURCE = Source(
    name="inspector",
    reference="https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html",
    parse=parse,
    labels=("account", "region", "type", "resource_type", "vulnerability", "score", "exploit", "fix"),
    recognise=recognises("aws.inspector2", FINDING),
    event_patterns=(
        {"source": ["aws.inspector2"], "detail-type": [FINDING], "detail": {"severity": ["CRITICAL", "HIGH"]}},
    ),
    repeats_within_seconds=7 * 24 * 3600,
    examples=(
        Example(
            "a function has a vulnerability that is being exploited",
            _finding(),
            (
                {
                    "title": "CVE-2026-0001 - parser",
                    "status": "firing",
                    "severity": 2,
                    "identity": {"finding": _ARN},
                    "resource": _FUNCTION,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "started_at": "2026-01-15T09:58:44.356000Z",
                    "labels": {"vulnerability": "CVE-2026-0001", "score": "9.8", "exploit": "YES"},
                },
            ),
        ),
        Example(
            "it was patched",
            {**_finding(status="CLOSED"), "time": "2026-01-15T10:04:10Z"},
            ({"status": "resolved", "identity": {"finding": _ARN}, "occurred_at": "2026-01-15T10:04:10.000000Z"},),
        ),
        Example(
            "a port of an instance is open, told with the older spelling of times",
            _finding(
                exploitAvailable=None,
                firstObservedAt="Jan 15, 2026, 9:57:05 AM",
                inspectorScore=None,
                packageVulnerabilityDetails=None,
                resources=[{"id": "i-0a1b2c3d4e5f60718", "type": "AWS_EC2_INSTANCE"}],
                severity="HIGH",
                title="Port 22 is reachable from an Internet Gateway - TCP",
                type="NETWORK_REACHABILITY",
            ),
            (
                {
                    "severity": 4,
                    "resource": "arn:aws:ec2:eu-central-1:111122223333:instance/i-0a1b2c3d4e5f60718",
                    "started_at": "2026-01-15T09:57:05.000000Z",
                },
            ),
        ),
        Example(
            "a suppressed one that began at a time no form fits, of a resource without an ARN",
            _finding(status="SUPPRESSED", firstObservedAt="yesterday", resources=[{"id": "repository/web"}]),
            ({"status": "resolved", "resource": "", "started_at": "2026-01-15T10:00:03.000000Z"},),
        ),
    ),
)
