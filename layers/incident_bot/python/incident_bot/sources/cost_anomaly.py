"""Cost Anomaly Detection: spending that is unusual, by EventBridge or by a subscription of its own to the alarm topic.

Its events go to its home region alone, so elsewhere it takes the topic. Both name one series. It is told again while
it grows and never said to be over: `anomalyEndDate` is the last day seen so far. So it ends by staleness or by a
person. AWS does not say how bad it is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import links, mapping, moment, prose, text
from incident_bot.sources import Example, Parsed, Source
from incident_bot.sources._event import opened, recognises, sent
from incident_bot.sources._fields import first, labelled, number, spelled

DETECTED = "Anomaly Detected"
FORMS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")

_by_eventbridge = recognises("aws.ce", DETECTED)


def recognise(envelope: Mapping[str, Any]) -> bool:
    """An anomaly's event, or a notification with an anomaly in it."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return "anomalyId" in message and "monitorArn" in message
    return _by_eventbridge(envelope)


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one anomaly of either envelope."""
    if "Message" not in body:
        event = opened(body, received_at)
        return Parsed((_alert(event.detail, event.at, text(event.detail, "accountId") or event.account),))
    at = moment(body, "Timestamp", received_at)
    if at is None:
        raise Unparseable("Timestamp is missing", field="Timestamp")
    anomaly = mapping(body, "Message")
    return Parsed((_alert(anomaly, at, text(anomaly, "accountId")),))


def _alert(anomaly: Mapping[str, Any], at: datetime, account: str) -> Alert:
    impact, cause = mapping(anomaly, "impact"), first(anomaly, "rootCauses")
    # The same thing is `dimensionalValue` by SNS and `dimensionValue` by EventBridge.
    dimension = prose(anomaly, "dimensionValue") or prose(anomaly, "dimensionalValue")
    monitor = text(anomaly, "monitorArn")
    return Alert(
        source="cost_anomaly",
        title=f"Cost anomaly: {dimension or prose(anomaly, 'monitorName') or 'unusual spending'}",
        status=Status.FIRING,
        identity={"anomaly": text(anomaly, "anomalyId", required=True)},
        occurred_at=at,
        started_at=min(spelled(anomaly, "anomalyStartDate", *FORMS) or at, at),
        resource=monitor if monitor.startswith("arn:") else "",
        summary=_summary(impact, cause),
        labels=labelled(
            account=account,
            monitor=anomaly.get("monitorName") or monitor,
            dimension=dimension,
            impact=number(impact, "totalImpact"),
            linked_account=cause.get("linkedAccount"),
            aws_service=cause.get("service"),
            region=cause.get("region"),
            usage_type=cause.get("usageType"),
        ),
        links=links({"source": prose(anomaly, "anomalyDetailsLink")}),
    )


def _summary(impact: Mapping[str, Any], cause: Mapping[str, Any]) -> str:
    """How much too much (AWS counts in US dollars), and where most of it comes from."""
    total, expected = number(impact, "totalImpact"), number(impact, "totalExpectedSpend")
    much = f"{total:,.2f} USD more than expected" if total is not None else ""
    beside = f" ({expected:,.2f} USD)" if much and expected is not None else ""
    names = ("service", "usageType", "region", "linkedAccountName", "linkedAccount")
    where = ", ".join(part for name in names if (part := prose(cause, name)))
    return ": ".join(part for part in (much + beside, where) if part)


_MONITOR = "arn:aws:ce::111122223333:anomalymonitor/5c0e7a3f"
_ANOMALY: Mapping[str, Any] = {
    "accountId": "111122223333",
    "accountName": "shop",
    "anomalyDetailsLink": "https://console.aws.amazon.com/cost-management/home#/anomaly-detection/anomalies/9d1f",
    "anomalyEndDate": "2026-01-15T00:00:00Z",
    "anomalyId": "9d1f",
    "anomalyScore": {"currentScore": 0.47, "maxScore": 0.47},
    "anomalyStartDate": "2026-01-14T00:00:00Z",
    "dimensionValue": "Amazon Elastic Compute Cloud - Compute",
    "impact": {"maxImpact": 151, "totalActualSpend": 1301, "totalExpectedSpend": 300, "totalImpact": 1001},
    "monitorArn": _MONITOR,
    "monitorName": "services",
    "rootCauses": [
        {
            "linkedAccount": "444455556666",
            "region": "eu-central-1",
            "service": "Amazon Elastic Compute Cloud - Compute",
            "usageType": "EUC1-BoxUsage:p5.48xlarge",
        }
    ],
}
_NOTIFIED = {k: v for k, v in _ANOMALY.items() if k not in ("dimensionValue", "monitorName", "accountName")}


def _notification(**changes: Any) -> Mapping[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "b0d9",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        "Subject": "AWS Cost Management: Cost anomaly detected on 2026-01-15",
        "Message": {**_NOTIFIED, **changes},
        "Timestamp": "2026-01-15T10:00:05.125Z",
    }


SOURCE = Source(
    name="cost_anomaly",
    reference="https://docs.aws.amazon.com/cost-management/latest/userguide/cad-eventbridge.html",
    parse=parse,
    labels=(
        "account",
        "monitor",
        "dimension",
        "impact",
        "linked_account",
        "aws_service",
        "region",
        "usage_type",
    ),
    recognise=recognise,
    event_patterns=({"source": ["aws.ce"], "detail-type": [DETECTED]},),
    resolves=False,
    repeats_within_seconds=48 * 3600,
    examples=(
        Example(
            "instances cost too much, by EventBridge",
            sent("aws.ce", DETECTED, _ANOMALY, _MONITOR),
            (
                {
                    "title": "Cost anomaly: Amazon Elastic Compute Cloud - Compute",
                    "status": "firing",
                    "severity": None,
                    "identity": {"anomaly": "9d1f"},
                    "resource": _MONITOR,
                    "occurred_at": "2026-01-15T10:00:03.000000Z",
                    "started_at": "2026-01-14T00:00:00.000000Z",
                    "summary": "1,001.00 USD more than expected (300.00 USD): Amazon Elastic Compute Cloud - Compute, "
                    "EUC1-BoxUsage:p5.48xlarge, eu-central-1, 444455556666",
                    "labels": {"monitor": "services", "linked_account": "444455556666", "impact": "1001"},
                },
            ),
        ),
        Example(
            "the same by SNS",
            _notification(dimensionalValue="Amazon Elastic Compute Cloud - Compute"),
            (
                {
                    "title": "Cost anomaly: Amazon Elastic Compute Cloud - Compute",
                    "status": "firing",
                    "identity": {"anomaly": "9d1f"},
                    "occurred_at": "2026-01-15T10:00:05.125000Z",
                },
            ),
        ),
        Example(
            "one whose cause and cost are not known, since a day and not a time",
            _notification(anomalyStartDate="2026-01-13", impact=None, rootCauses=[]),
            (
                {
                    "title": "Cost anomaly: unusual spending",
                    "summary": "",
                    "started_at": "2026-01-13T00:00:00.000000Z",
                    "labels": {"monitor": _MONITOR},
                },
            ),
        ),
    ),
)
