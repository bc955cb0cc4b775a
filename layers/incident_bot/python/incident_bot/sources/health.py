"""AWS Health: what AWS itself says is wrong or planned, for one account or for everybody; it ends when AWS closes it.

One alert for each Health event and account, however many resources it touches, as they share their cause. The copy
that AWS sends to a backup region, and the further pages of a long list, are repeats. Issues and investigations have no
severity of AWS's; planned changes and notices are no faults yet. Of notices only those that ask for action are asked
for. `service` is left open, as Health names AWS's services and not the team's.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import first, labelled, spelled

EVENT = "AWS Health Event"
STATUSES = {"open": Status.FIRING, "upcoming": Status.FIRING, "closed": Status.RESOLVED}
WEIGHTS = {"scheduledChange": Severity.SEV4, "accountNotification": Severity.SEV4}
FORM = "%a, %d %b %Y %H:%M:%S GMT"
NAMED = 5  # affected resources that a summary lists; it counts the others


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one Health event of the event."""
    return Parsed((_alert(opened(body, received_at), received_at),))


def _alert(event: Event, received_at: datetime) -> Alert:
    detail = event.detail
    said = text(detail, "statusCode") or "open"  # left out where nothing is to be closed
    if said not in STATUSES:
        raise Unparseable(
            f"detail.statusCode is none of {', '.join(STATUSES)}: {shown(said)!r}", field="detail.statusCode"
        )
    arn, code = (text(detail, name, required=True, path="detail.") for name in ("eventArn", "eventTypeCode"))
    account, region = text(detail, "affectedAccount") or event.account, text(detail, "eventRegion") or event.region
    entities, category = _entities(event), text(detail, "eventTypeCategory")
    occurred_at = _updated(event, received_at)
    started_at = spelled(detail, "startTime", FORM) or occurred_at
    return Alert(
        source="health",
        title=f"{text(detail, 'service') or 'AWS'} in {region}: {_words(code)}",
        status=STATUSES[said],
        identity={"event": arn, "account": account},
        occurred_at=occurred_at,
        started_at=min(started_at, occurred_at),  # a planned change starts in the future, what is said of it now
        severity=WEIGHTS.get(category),
        resource=next((entity for entity in entities if entity.startswith("arn:")), ""),
        summary=_summary(detail, entities),
        labels=labelled(
            account=account,
            region=region,
            aws_service=detail.get("service"),
            code=code,
            category=category,
            scope=detail.get("eventScopeCode"),
            status=said,
            actionability=detail.get("actionability"),
            entity=entities[0] if entities else None,
            entities=len(entities) or None,
        ),
        links={"source": f"https://health.aws.amazon.com/health/home#/account/event-log?eventID={quote(arn, safe='')}"}
        if event.partition == "aws"
        else {},
    )


def _updated(event: Event, received_at: datetime) -> datetime:
    """When AWS last said something new, which its copies share; the event's own time where that is no time."""
    updated = spelled(event.detail, "lastUpdatedTime", FORM)
    return updated if updated and updated <= received_at else event.at


def _words(code: str) -> str:
    """`AWS_EC2_OPERATIONAL_ISSUE` as words, without the service, which stands before them: `operational issue`."""
    return " ".join(code.removeprefix("AWS_").split("_")[1:]).lower() or code


def _entities(event: Event) -> tuple[str, ...]:
    """The affected resources by the names that AWS gives: ids, ARNs or whatever the service calls them."""
    affected = event.detail.get("affectedEntities")
    objects = [one for one in affected if isinstance(one, Mapping)] if isinstance(affected, list) else []
    named = [prose(one, "entityValue") for one in objects]
    return tuple(name for name in named if name) or event.resources


def _summary(detail: Mapping[str, Any], entities: tuple[str, ...]) -> str:
    more = f" and {len(entities) - NAMED} more" if len(entities) > NAMED else ""
    touched = f"{', '.join(entities[:NAMED])}{more}: " if entities else ""
    return prose({"said": touched + prose(first(detail, "eventDescription"), "latestDescription")}, "said")


_ISSUE_ARN = "arn:aws:health:eu-central-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/AWS_EC2_OPERATIONAL_ISSUE_7f35c8ae"
_ISSUE: Mapping[str, Any] = {
    "eventArn": _ISSUE_ARN,
    "service": "EC2",
    "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
    "eventTypeCategory": "issue",
    "eventScopeCode": "PUBLIC",
    "communicationId": "01b0993207d81a09-1",
    "startTime": "Thu, 15 Jan 2026 09:40:00 GMT",
    "lastUpdatedTime": "Thu, 15 Jan 2026 09:58:22 GMT",
    "statusCode": "open",
    "eventRegion": "eu-central-1",
    "eventDescription": [{"language": "en_US", "latestDescription": "Errors of the EC2 API are higher than usual."}],
    "affectedEntities": [],
    "page": "1",
    "totalPages": "1",
    "backupEvent": "false",
    "affectedAccount": "111122223333",
    "personas": ["OPERATIONS"],
}
_INSTANCES = [f"arn:aws:ec2:eu-central-1:111122223333:instance/i-{number:017d}" for number in range(7)]
_RETIREMENT: Mapping[str, Any] = {
    **_ISSUE,
    "eventArn": "arn:aws:health:eu-central-1::event/EC2/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED/9035",
    "eventTypeCode": "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED",
    "eventTypeCategory": "scheduledChange",
    "eventScopeCode": "ACCOUNT_SPECIFIC",
    "startTime": "Thu, 29 Jan 2026 13:19:03 GMT",
    "statusCode": "upcoming",
    "eventDescription": [{"language": "en_US", "latestDescription": "The host will be retired."}],
    "affectedEntities": [{"entityValue": instance, "status": "PENDING"} for instance in _INSTANCES],
    "actionability": "ACTION_REQUIRED",
}


def _event(detail: Mapping[str, Any], *resources: str, **changes: Any) -> Mapping[str, Any]:
    return sent("aws.health", EVENT, {k: v for k, v in {**detail, **changes}.items() if v is not None}, *resources)


SOURCE = Source(
    name="health",
    reference="https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html",
    parse=parse,
    labels=(
        "account",
        "region",
        "aws_service",
        "code",
        "category",
        "scope",
        "status",
        "actionability",
        "entity",
        "entities",
    ),
    recognise=recognises("aws.health", EVENT),
    event_patterns=(
        {
            "source": ["aws.health"],
            "detail-type": [EVENT],
            "detail": {
                "$or": [
                    {"eventTypeCategory": ["issue", "investigation", "scheduledChange"]},
                    {"eventTypeCategory": ["accountNotification"], "actionability": ["ACTION_REQUIRED"]},
                ]
            },
        },
    ),
    repeats_within_seconds=7 * 24 * 3600,
    slow_seconds=900,
    examples=(
        Example(
            "a public issue opens",
            _event(_ISSUE),
            (
                {
                    "title": "EC2 in eu-central-1: operational issue",
                    "status": "firing",
                    "severity": None,
                    "identity": {"event": _ISSUE_ARN, "account": "111122223333"},
                    "occurred_at": "2026-01-15T09:58:22.000000Z",
                    "started_at": "2026-01-15T09:40:00.000000Z",
                    "summary": "Errors of the EC2 API are higher than usual.",
                    "labels": {"scope": "PUBLIC", "aws_service": "EC2", "status": "open"},
                },
            ),
        ),
        Example(
            "its copy for the backup region",
            {**_event(_ISSUE, backupEvent="true"), "region": "us-west-2"},
            (
                {
                    "identity": {"event": _ISSUE_ARN, "account": "111122223333"},
                    "occurred_at": "2026-01-15T09:58:22.000000Z",
                },
            ),
        ),
        Example(
            "it is over",
            _event(
                _ISSUE,
                statusCode="closed",
                lastUpdatedTime="Thu, 15 Jan 2026 10:04:00 GMT",
                endTime="Thu, 15 Jan 2026 10:01:00 GMT",
            ),
            ({"status": "resolved", "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "seven instances will be retired in two weeks",
            _event(_RETIREMENT),
            (
                {
                    "title": "EC2 in eu-central-1: instance retirement scheduled",
                    "status": "firing",
                    "severity": 4,
                    "resource": _INSTANCES[0],
                    "started_at": "2026-01-15T09:58:22.000000Z",
                    "summary": f"{', '.join(_INSTANCES[:5])} and 2 more: The host will be retired.",
                    "labels": {"status": "upcoming", "entities": "7", "scope": "ACCOUNT_SPECIFIC"},
                },
            ),
        ),
        Example(
            "a member's key was exposed",
            _event(  # told to the management account, with little about it and that oddly spelled
                _ISSUE,
                "AKIAEXAMPLE",
                eventArn="arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/1",
                service="RISK",
                eventTypeCode="AWS_RISK_CREDENTIALS_EXPOSED",
                eventRegion="us-east-1",
                affectedAccount="444455556666",
                affectedEntities=None,
                statusCode=None,
                lastUpdatedTime=None,
                startTime="Thu 15 Jan 2026 09: 25: 00 GMT",
            ),
            (
                {
                    "title": "RISK in us-east-1: credentials exposed",
                    "status": "firing",
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "labels": {"account": "444455556666", "entity": "AKIAEXAMPLE"},
                },
            ),
        ),
    ),
)
