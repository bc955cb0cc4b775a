"""IAM Access Analyzer findings: access from outside, from inside or unused, which fires until resolved or archived.

A finding that is deleted (with its analyzer, or 90 days after it was resolved) is over too. Unused access harms nobody
yet, and an analyzer that is made tells it in hundreds: it weighs least. How bad the rest is Access Analyzer does not
say; the label `public` tells the worst.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.arn import name_of
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

EXTERNAL = "Access Analyzer Finding"
INTERNAL = "Internal Access Finding"
UNUSED = "Unused Access Finding for IAM entities"
SAYS = {EXTERNAL: "can be accessed from outside", INTERNAL: "can be accessed from inside", UNUSED: "has unused access"}
STATUSES = {"ACTIVE": Status.FIRING, "ARCHIVED": Status.RESOLVED, "RESOLVED": Status.RESOLVED}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one finding of the event."""
    return Parsed((_alert(opened(body, received_at), received_at),))


def _alert(event: Event, received_at: datetime) -> Alert:
    finding, said = event.detail, text(event.detail, "status", required=True, path="detail.")
    if said not in STATUSES:
        raise Unparseable(f"detail.status is none of {', '.join(STATUSES)}: {shown(said)!r}", field="detail.status")
    identifier = text(finding, "id") or text(finding, "findingId", required=True, path="detail.")
    resource = text(finding, "resource", required=True, path="detail.")
    created_at = moment(finding, "createdAt", received_at) or event.at
    public = finding.get("isPublic") is True
    analyzer = f"access-analyzer/home?region={event.region}#/findings/details/{quote(identifier, safe='')}"
    return Alert(
        source="access_analyzer",
        title=_title(event, resource, public=public),
        status=Status.RESOLVED if finding.get("isDeleted") is True else STATUSES[said],
        identity={"analyzer": event.resource, "finding": identifier},
        occurred_at=event.at,
        started_at=min(created_at, event.at),
        severity=Severity.SEV5 if event.kind == UNUSED else None,
        resource=resource if resource.startswith("arn:") else "",
        summary=_summary(finding),
        labels=labelled(
            account=text(finding, "accountId") or event.account,
            region=event.region,
            finding_type=finding.get("findingType") or ("ExternalAccess" if event.kind == EXTERNAL else None),
            resource_type=finding.get("resourceType"),
            public=public,
            error=finding.get("error"),
        ),
        links=console_links(event.partition, event.region, analyzer),
    )


def _title(event: Event, resource: str, *, public: bool) -> str:
    name = name_of(resource)
    if "error" in event.detail:
        return f"Access Analyzer cannot analyse {name}"
    return f"{name} is public" if public else f"{name} {SAYS.get(event.kind, 'can be accessed')}"


def _summary(finding: Mapping[str, Any]) -> str:
    """Who may do what, or what is unused."""
    principals = ", ".join(f"{kind} {who}" for kind, who in mapping(finding, "principal").items())
    actions = finding.get("action")
    named = [action for action in actions if isinstance(action, str)] if isinstance(actions, list) else []
    what = " may ".join(part for part in (principals, ", ".join(named)) if part)
    return prose({"what": what or prose(finding, "error") or prose(finding, "findingType")}, "what")


_ANALYZER = "arn:aws:access-analyzer:eu-central-1:111122223333:analyzer/account"
_EXTERNAL: Mapping[str, Any] = {
    "accountId": "111122223333",
    "action": ["s3:GetObject"],
    "analyzedAt": "2026-01-15T09:59:40Z",
    "condition": {},
    "createdAt": "2026-01-15T09:59:41Z",
    "id": "5d1b0c6e-1111-4222-8333-944455556666",
    "isDeleted": False,
    "isPublic": True,
    "principal": {"AWS": "*"},
    "region": "eu-central-1",
    "resource": "arn:aws:s3:::exports",
    "resourceType": "AWS::S3::Bucket",
    "status": "ACTIVE",
    "updatedAt": "2026-01-15T09:59:41Z",
    "version": "1.0",
}
_UNUSED: Mapping[str, Any] = {
    "findingId": "a80d04de-5555-4666-8777-188899990000",
    "resource": "arn:aws:iam::111122223333:role/Migration2023",
    "resourceType": "AWS::IAM::Role",
    "accountId": "111122223333",
    "createdAt": "2026-01-15T09:29:18.758Z",
    "updatedAt": "2026-01-15T09:29:18.758Z",
    "previousStatus": "",
    "status": "ACTIVE",
    "isDeleted": False,
    "findingType": "UnusedIAMRole",
}
_INTERNAL: Mapping[str, Any] = {
    **_EXTERNAL,
    "accessType": "INTRA_ACCOUNT",
    "createdAt": "2026-01-15T09:33:49.914099224Z",
    "findingType": "InternalAccess",
    "isPublic": None,
    "principal": {"AWS": "arn:aws:iam::111122223333:role/Reports"},
    "principalType": "IAM_ROLE",
}
_IDENTITY = {"analyzer": _ANALYZER, "finding": "5d1b0c6e-1111-4222-8333-944455556666"}


def _event(kind: str, detail: Mapping[str, Any], **changes: Any) -> Mapping[str, Any]:
    return sent("aws.access-analyzer", kind, {**detail, **changes}, _ANALYZER)


SOURCE = Source(
    name="access_analyzer",
    reference="https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-eventbridge.html",
    parse=parse,
    labels=("account", "region", "finding_type", "resource_type", "public", "error"),
    recognise=recognises("aws.access-analyzer", *SAYS),
    event_patterns=({"source": ["aws.access-analyzer"], "detail-type": list(SAYS)},),
    repeats_within_seconds=7 * 24 * 3600,
    examples=(
        Example(
            "a bucket became public",
            _event(EXTERNAL, _EXTERNAL),
            (
                {
                    "title": "exports is public",
                    "status": "firing",
                    "severity": None,
                    "identity": _IDENTITY,
                    "resource": "arn:aws:s3:::exports",
                    "summary": "AWS * may s3:GetObject",
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "started_at": "2026-01-15T09:59:41.000000Z",
                    "labels": {"public": "true", "finding_type": "ExternalAccess", "region": "eu-central-1"},
                },
            ),
        ),
        Example(
            "its policy was mended",
            _event(EXTERNAL, _EXTERNAL, status="RESOLVED"),
            ({"status": "resolved", "identity": _IDENTITY},),
        ),
        Example(
            "its analyzer was deleted, which leaves the status as it was",
            _event(EXTERNAL, _EXTERNAL, isDeleted=True),
            ({"status": "resolved", "identity": _IDENTITY},),
        ),
        Example(
            "a role is not used",
            _event(UNUSED, _UNUSED),
            (
                {
                    "title": "Migration2023 has unused access",
                    "severity": 5,
                    "identity": {"analyzer": _ANALYZER, "finding": "a80d04de-5555-4666-8777-188899990000"},
                    "summary": "UnusedIAMRole",
                },
            ),
        ),
        Example(
            "access from inside to what is critical, with times of nanoseconds",
            _event(INTERNAL, _INTERNAL),
            (
                {
                    "title": "exports can be accessed from inside",
                    "summary": "AWS arn:aws:iam::111122223333:role/Reports may s3:GetObject",
                    "started_at": "2026-01-15T09:33:49.914099Z",
                    "labels": {"finding_type": "InternalAccess", "public": "false"},
                },
            ),
        ),
        Example(
            "a resource that it may not read, and which somebody archived",
            _event(
                EXTERNAL,
                {k: v for k, v in _EXTERNAL.items() if k not in ("action", "condition", "principal")},
                error="ACCESS_DENIED",
                isPublic=None,
                status="ARCHIVED",
            ),
            ({"title": "Access Analyzer cannot analyse exports", "status": "resolved", "summary": "ACCESS_DENIED"},),
        ),
    ),
)
