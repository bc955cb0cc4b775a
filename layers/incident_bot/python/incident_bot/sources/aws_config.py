"""AWS Config: a resource that breaks a rule fires until it complies again, is deleted, or the rule no longer applies.

Only changes from or to non-compliance are asked for. Config has no severity; rules of the team's own give one, by the
label `rule`. The controls of Security Hub are Config rules too (`securityhub-...`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose, shown, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import Event, opened, recognises, sent
from incident_bot.sources._fields import labelled

CHANGE = "Config Rules Compliance Change"
COMPLIANCE = {
    "NON_COMPLIANT": Status.FIRING,
    "COMPLIANT": Status.RESOLVED,
    "NOT_APPLICABLE": Status.RESOLVED,
    "INSUFFICIENT_DATA": Status.UNKNOWN,
}
BY_NAME = {  # types whose id in Config is their name, and so gives their ARN
    "AWS::S3::Bucket": "arn:{partition}:s3:::{id}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{id}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{id}",
    "AWS::EC2::Instance": "arn:{partition}:ec2:{region}:{account}:instance/{id}",
    "AWS::EC2::SecurityGroup": "arn:{partition}:ec2:{region}:{account}:security-group/{id}",
    "AWS::EC2::Volume": "arn:{partition}:ec2:{region}:{account}:volume/{id}",
}
BROKEN = {"complianceType": ["NON_COMPLIANT"]}


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """One alert about one resource and one rule."""
    return Parsed((_alert(opened(body, received_at), received_at),))


def _alert(event: Event, received_at: datetime) -> Alert:
    detail, result = event.detail, mapping(event.detail, "newEvaluationResult")
    said = text(result, "complianceType") or "NOT_APPLICABLE"  # no new result: the resource or the rule is gone
    if said not in COMPLIANCE:
        field = "detail.newEvaluationResult.complianceType"
        raise Unparseable(f"{field} is none of {', '.join(COMPLIANCE)}: {shown(said)!r}", field=field)
    rule = text(detail, "configRuleName", required=True, path="detail.")
    kind, identifier = text(detail, "resourceType"), text(detail, "resourceId", required=True, path="detail.")
    place = {
        "account": text(detail, "awsAccountId") or event.account,
        "region": text(detail, "awsRegion") or event.region,
    }
    occurred_at = moment(result, "resultRecordedTime", received_at) or event.at
    return Alert(
        source="aws_config",
        title=f"{identifier} breaks the rule {rule}",
        status=COMPLIANCE[said],
        identity={**place, "rule": rule, "type": kind, "resource": identifier},
        occurred_at=occurred_at,
        started_at=occurred_at,
        resource=_arn(event, place, kind, identifier),
        summary=prose(result, "annotation"),
        labels=place | labelled(rule=rule, resource_type=kind, resource_id=identifier, compliance=said),
        links=console_links(event.partition, event.region, f"config/home?region={event.region}#/rules"),
    )


def _arn(event: Event, place: Mapping[str, str], kind: str, identifier: str) -> str:
    if identifier.startswith("arn:"):
        return identifier
    return BY_NAME[kind].format(partition=event.partition, id=identifier, **place) if kind in BY_NAME else ""


_RULE = "s3-bucket-public-read-prohibited"
_DETAIL: Mapping[str, Any] = {
    "resourceId": "exports",
    "awsRegion": "eu-central-1",
    "awsAccountId": "111122223333",
    "configRuleName": _RULE,
    "recordVersion": "1.0",
    "configRuleARN": "arn:aws:config:eu-central-1:111122223333:config-rule/config-rule-a1b2c3",
    "messageType": "ComplianceChangeNotification",
    "newEvaluationResult": {
        "complianceType": "NON_COMPLIANT",
        "resultRecordedTime": "2026-01-15T09:59:58.741Z",
        "annotation": "The bucket's policy lets everybody read",
    },
    "oldEvaluationResult": {"complianceType": "COMPLIANT", "resultRecordedTime": "2026-01-14T09:59:50.000Z"},
    "notificationCreationTime": "2026-01-15T09:59:59.751Z",
    "resourceType": "AWS::S3::Bucket",
}
_IDENTITY = {
    "account": "111122223333",
    "region": "eu-central-1",
    "rule": _RULE,
    "type": "AWS::S3::Bucket",
    "resource": "exports",
}


def _change(**changes: Any) -> Mapping[str, Any]:
    return sent("aws.config", CHANGE, {**_DETAIL, **changes})


SOURCE = Source(
    name="aws_config",
    reference="https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html",
    parse=parse,
    labels=("account", "region", "rule", "resource_type", "resource_id", "compliance"),
    recognise=recognises("aws.config", CHANGE),
    event_patterns=(
        {
            "source": ["aws.config"],
            "detail-type": [CHANGE],
            "detail": {
                "messageType": ["ComplianceChangeNotification"],
                "$or": [{"newEvaluationResult": BROKEN}, {"oldEvaluationResult": BROKEN}],
            },
        },
    ),
    repeats_within_seconds=7 * 24 * 3600,
    examples=(
        Example(
            "a bucket became public",
            _change(),
            (
                {
                    "title": f"exports breaks the rule {_RULE}",
                    "status": "firing",
                    "severity": None,
                    "identity": _IDENTITY,
                    "resource": "arn:aws:s3:::exports",
                    "summary": "The bucket's policy lets everybody read",
                    "occurred_at": "2026-01-15T09:59:58.741000Z",
                    "labels": {"rule": _RULE, "compliance": "NON_COMPLIANT"},
                },
            ),
        ),
        Example(
            "it complies again",
            _change(
                newEvaluationResult={"complianceType": "COMPLIANT", "resultRecordedTime": "2026-01-15T10:04:00Z"},
                oldEvaluationResult=_DETAIL["newEvaluationResult"],
            ),
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:04:00.000000Z"},),
        ),
        Example(
            "it was deleted, so that there is no new result",
            _change(newEvaluationResult=None, oldEvaluationResult=_DETAIL["newEvaluationResult"]),
            ({"status": "resolved", "identity": _IDENTITY, "occurred_at": "2026-01-15T10:00:03.000000Z"},),
        ),
        Example(
            "a user whose id says nothing, seen for the first time",
            _change(
                configRuleName="access-keys-rotated",
                resourceType="AWS::IAM::User",
                resourceId="AIDAEXAMPLE",
                oldEvaluationResult=None,
            ),
            ({"title": "AIDAEXAMPLE breaks the rule access-keys-rotated", "resource": ""},),
        ),
        Example(
            "Config cannot tell any more",
            _change(
                newEvaluationResult={"complianceType": "INSUFFICIENT_DATA"},
                oldEvaluationResult=_DETAIL["newEvaluationResult"],
            ),
            ({"status": "unknown", "identity": _IDENTITY},),
        ),
    ),
)
