"""Alarms as CloudWatch tells them, in each of its envelopes: the examples of the source `cloudwatch`."""

from collections.abc import Mapping
from typing import Any

from incident_bot.sources import Example

_ALARMS = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:"
_ARN = f"{_ALARMS}checkout-throttles"
_TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"
_METRIC_ALARM: Mapping[str, Any] = {
    "AlarmName": "checkout-throttles",
    "AlarmDescription": "Invocations of checkout are throttled",
    "AWSAccountId": "111122223333",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed: 2 datapoints [41.0, 38.0] were greater than the threshold (5.0).",
    "StateChangeTime": "2026-01-15T10:00:03.125+0000",
    "Region": "EU (Frankfurt)",
    "AlarmArn": _ARN,
    "OldStateValue": "OK",
    "Trigger": {
        "MetricName": "Throttles",
        "Namespace": "AWS/Lambda",
        "Dimensions": [{"name": "FunctionName", "value": "checkout"}],
        "Period": 60,
        "Threshold": 5.0,
    },
}
_CHANGE: Mapping[str, Any] = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "111122223333",
    "time": "2026-01-15T10:00:03Z",
    "region": "eu-central-1",
    "resources": [_ARN],
    "detail": {
        "alarmName": "checkout-throttles",
        "configuration": {
            "description": "Invocations of checkout are throttled",
            "metrics": [
                {
                    "id": "m1",
                    "metricStat": {
                        "metric": {
                            "namespace": "AWS/Lambda",
                            "name": "Throttles",
                            "dimensions": {"FunctionName": "checkout"},
                        },
                        "period": 60,
                        "stat": "Sum",
                    },
                    "returnData": True,
                }
            ],
        },
        "previousState": {"value": "OK", "timestamp": "2026-01-15T08:00:00.000+0000"},
        "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-01-15T10:00:03.125+0000"},
    },
}
_BAND: Mapping[str, Any] = {
    "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
    "ThresholdMetricId": "ad1",
    "Metrics": [
        {
            "Id": "m1",
            "MetricStat": {
                "Metric": {
                    "MetricName": "NumberOfMessagesSent",
                    "Namespace": "AWS/SQS",
                    "Dimensions": [{"name": "QueueName", "value": "orders"}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": True,
        },
        {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Label": "expected", "ReturnData": True},
    ],
}
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "alarm": "checkout-throttles"}


def _notification(**changes: Any) -> Mapping[str, Any]:
    message = {k: v for k, v in {**_METRIC_ALARM, **changes}.items() if v is not None}
    return {"Type": "Notification", "MessageId": "b0d9", "TopicArn": _TOPIC, "Message": message}


def _composite(**changes: Any) -> Mapping[str, Any]:
    """What SNS carries of a composite alarm: a rule in place of a trigger."""
    said = {
        "AlarmName": "shop: all",
        "AlarmArn": f"{_ALARMS}shop: all",
        "AlarmDescription": "The shop is in trouble",
        "NewStateReason": f"{_ARN} transitioned to ALARM at Thursday 15 January, 2026 10:00:03 UTC",
        "AlarmRule": "ALARM(checkout-throttles) OR ALARM(orders-errors)",
        "TriggeringChildren": [
            {"Arn": _ARN, "State": {"Value": "ALARM", "Timestamp": "2026-01-15T10:00:03.125+0000"}},
        ],
        "Trigger": None,
    }
    return _notification(**{**said, **changes})


def _action(state: str, timestamp: str | None = "2026-01-15T10:00:03.125+0000") -> Mapping[str, Any]:
    """What CloudWatch invokes a function with: the detail of the event, in an envelope of its own."""
    detail = _CHANGE["detail"]
    return {
        "source": "aws.cloudwatch",
        "alarmArn": _ARN,
        "accountId": "111122223333",
        "time": "2026-01-15T10:00:03.490+0000",
        "region": "eu-central-1",
        "alarmData": {**detail, "state": {**detail["state"], "value": state, "timestamp": timestamp}},
    }


EXAMPLES = (
    Example(
        "an alarm goes off, by SNS",
        _notification(),
        (
            {
                "title": "checkout-throttles",
                "status": "firing",
                "identity": _IDENTITY,
                "resource": "arn:aws:lambda:eu-central-1:111122223333:function:checkout",
                "summary": "Invocations of checkout are throttled",
                "occurred_at": "2026-01-15T10:00:03.125000Z",
                "labels": {"metric": "Throttles", "dimension.FunctionName": "checkout"},
                "ask": _ARN,
            },
        ),
    ),
    Example(
        "the same alarm's copy by EventBridge",
        _CHANGE,
        (
            {
                "title": "checkout-throttles",
                "status": "firing",
                "identity": _IDENTITY,
                "resource": "arn:aws:lambda:eu-central-1:111122223333:function:checkout",
                "occurred_at": "2026-01-15T10:00:03.125000Z",
                "ask": _ARN,
            },
        ),
    ),
    Example(
        "it clears, in an older notification without ARN",
        _notification(NewStateValue="OK", AlarmArn=None, StateChangeTime="2026-01-15T10:04:00Z"),
        ({"status": "resolved", "identity": _IDENTITY, "ask": _ARN},),
    ),
    Example(
        "metric math that lost its data",
        _notification(
            NewStateValue="INSUFFICIENT_DATA",
            Trigger={
                "Period": 60,
                "Metrics": [
                    {"Id": "e1", "Expression": "errors / requests", "ReturnData": True},
                    {
                        "Id": "errors",
                        "MetricStat": {
                            "Metric": {
                                "MetricName": "Errors",
                                "Namespace": "Shop",
                                "Dimensions": [{"name": "Service", "value": "cart"}],
                            },
                            "Period": 60,
                            "Stat": "Sum",
                        },
                        "ReturnData": False,
                    },
                ],
            },
        ),
        ({"status": "unknown", "identity": _IDENTITY, "service": "cart", "labels": {"metric": "Errors"}},),
    ),
    Example(
        "an anomaly, whose threshold is a band around what was expected",
        _notification(
            AlarmName="orders-unusual",
            AlarmArn=f"{_ALARMS}orders-unusual",
            AlarmDescription=None,
            NewStateReason="1 datapoint [0.0] was less than the lower threshold [11.5]",
            Trigger=_BAND,
        ),
        (
            {
                "status": "firing",
                "identity": {**_IDENTITY, "alarm": "orders-unusual"},
                "resource": "arn:aws:sqs:eu-central-1:111122223333:orders",
                "summary": "1 datapoint [0.0] was less than the lower threshold [11.5]",
                "labels": {"kind": "anomaly", "metric": "NumberOfMessagesSent", "dimension.QueueName": "orders"},
            },
        ),
    ),
    Example(
        "it is within the band again",
        _notification(
            AlarmName="orders-unusual", AlarmArn=f"{_ALARMS}orders-unusual", NewStateValue="OK", Trigger=_BAND
        ),
        ({"status": "resolved", "identity": {**_IDENTITY, "alarm": "orders-unusual"}},),
    ),
    Example(
        "a composite alarm by SNS",
        _composite(NewStateValue="ALARM"),
        (
            {
                "title": "shop: all",
                "status": "firing",
                "identity": {**_IDENTITY, "alarm": "shop: all"},
                "resource": f"{_ALARMS}shop: all",
                "summary": "The shop is in trouble (set off by checkout-throttles)",
                "labels": {"kind": "composite", "children": "checkout-throttles"},
            },
        ),
    ),
    Example(
        "it clears, and its children do not matter any more",
        _composite(NewStateValue="OK", TriggeringChildren=[]),
        ({"status": "resolved", "identity": {**_IDENTITY, "alarm": "shop: all"}},),
    ),
    Example(
        "it has only been created",
        _composite(NewStateValue="INSUFFICIENT_DATA", TriggeringChildren=None),
        ({"status": "unknown", "identity": {**_IDENTITY, "alarm": "shop: all"}},),
    ),
    Example(
        "a composite alarm by EventBridge, while its suppressor waits",
        {
            **_CHANGE,
            "resources": [f"{_ALARMS}shop: all"],
            "detail": {
                "alarmName": "shop: all",
                "configuration": {"alarmRule": "ALARM(checkout-throttles)", "actionsSuppressor": "maintenance"},
                "state": {
                    "value": "ALARM",
                    "actionsSuppressedBy": "WaitPeriod",
                    "reasonData": '{"triggeringAlarms":[{"arn":"' + _ARN + '","state":{"value":"ALARM"}}]}',
                    "timestamp": "2026-01-15T10:00:03.125+0000",
                },
            },
        },
        (
            {
                "status": "firing",
                "severity": 5,
                "summary": "(set off by checkout-throttles; suppressed in CloudWatch by WaitPeriod)",
                "labels": {"suppressed_by": "WaitPeriod"},
            },
        ),
    ),
    Example(
        "one contributor of an alarm on a Metrics Insights query, which a mute rule silences",
        {
            **_CHANGE,
            "detail-type": "CloudWatch Alarm Contributor State Change",
            "resources": [f"{_ALARMS}any-table"],
            "detail": {
                "alarmName": "any-table",
                "alarmContributor": {"id": "6d442278dba546f6", "attributes": {"TableName": "orders"}},
                "state": {"value": "ALARM", "reason": "1 datapoint", "timestamp": "2026-01-15T10:00:03.125+0000"},
                "configuration": {
                    "metrics": [{"id": "q1", "expression": 'SELECT MAX(X) FROM "AWS/DynamoDB" GROUP BY TableName'}]
                },
                "muteDetail": {"mutedByArn": "arn:aws:cloudwatch:eu-central-1:111122223333:alarm-mute-rule:sunday"},
            },
        },
        (
            {
                "identity": {**_IDENTITY, "alarm": "any-table", "contributor": "6d442278dba546f6"},
                "severity": 5,
                "labels": {"kind": "query", "dimension.TableName": "orders", "suppressed_by": "sunday"},
                "ask": "",
            },
        ),
    ),
    Example(
        "an alarm on logs, of which only the state counts",
        {
            **_CHANGE,
            "resources": [f"{_ALARMS}payment-errors"],
            "detail": {
                "alarmName": "payment-errors",
                "alarmTags": {"service": "payments", "team": "money"},
                "configuration": {
                    "description": "Payments log errors",
                    "scheduledQueryConfiguration": {"queryString": "filter level = 'ERROR'"},
                },
                "state": {"value": "ALARM", "timestamp": "2026-01-15T10:00:03.125+0000"},
            },
        },
        (
            {
                "status": "firing",
                "service": "payments",
                "summary": "Payments log errors",
                "labels": {"kind": "log", "tag.team": "money"},
            },
        ),
    ),
    Example(
        "an alarm's own Lambda action",
        _action("ALARM"),
        (
            {
                "title": "checkout-throttles",
                "status": "firing",
                "identity": _IDENTITY,
                "resource": "arn:aws:lambda:eu-central-1:111122223333:function:checkout",
                "occurred_at": "2026-01-15T10:00:03.125000Z",
                "ask": _ARN,
            },
        ),
    ),
    Example("its action when it clears", _action("OK"), ({"status": "resolved", "identity": _IDENTITY, "ask": _ARN},)),
    Example(
        "its action when it lacks data, without ARN and time of the change",
        {**_action("INSUFFICIENT_DATA", timestamp=None), "alarmArn": None},
        (
            {
                "status": "unknown",
                "identity": _IDENTITY,
                "ask": _ARN,
                "occurred_at": "2026-01-15T10:00:03.490000Z",
            },
        ),
    ),
    Example(
        "a composite alarm, which has a rule and no metric",
        {
            **_CHANGE,
            "resources": ["arn:aws:cloudwatch:eu-central-1:111122223333:alarm:shop: all"],
            "detail": {
                "alarmName": "shop: all",
                "configuration": {"alarmRule": "ALARM(checkout-throttles) OR ALARM(orders-errors)"},
                "state": {"value": "ALARM", "reason": "checkout-throttles transitioned to ALARM"},
            },
        },
        (
            {
                "title": "shop: all",
                "identity": {**_IDENTITY, "alarm": "shop: all"},
                "summary": "checkout-throttles transitioned to ALARM",
                "occurred_at": "2026-01-15T10:00:03.000000Z",
            },
        ),
    ),
)
