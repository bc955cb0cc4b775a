"""CloudWatch alarms (metric, metric math and composite), as SNS notifications and as EventBridge events."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import mapping, moment, prose, shown, text
from incident_bot.permission import Permission
from incident_bot.sources import Example, Parsed, Source
from incident_bot.world import Clients

STATES = {"ALARM": Status.FIRING, "OK": Status.RESOLVED, "INSUFFICIENT_DATA": Status.UNKNOWN}
SERVICE_DIMENSIONS = ("Service", "service", "ServiceName")
CHANGE = "CloudWatch Alarm State Change"


def recognise(envelope: Mapping[str, Any]) -> bool:
    """An alarm's EventBridge event, or an SNS notification with the JSON of an alarm in it."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return "AlarmName" in message and "NewStateValue" in message
    return envelope.get("source") == "aws.cloudwatch" and envelope.get("detail-type") == CHANGE


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alarm that either envelope speaks of; both copies of an alarm have the same fingerprint."""
    alert = _of_sns(body, received_at) if "Message" in body else _of_eventbridge(body, received_at)
    return Parsed((alert,))


def ask(alarm: str, clients: Clients) -> bool | None:
    """Whether the alarm of that ARN is in ALARM now; None for one of another account or region, gone, or composite.

    Describing composite alarms needs the permission on every resource, which is not worth having for one answer.
    """
    name = alarm.split(":", 6)[-1]
    alarms = clients.client("cloudwatch").describe_alarms(AlarmNames=[name]).get("MetricAlarms", [])
    states = [found["StateValue"] for found in alarms if found["AlarmArn"] == alarm]
    return {"ALARM": True, "OK": False}.get(states[0]) if states else None


def _of_sns(envelope: Mapping[str, Any], received_at: datetime) -> Alert:
    message, trigger = mapping(envelope, "Message"), mapping(mapping(envelope, "Message"), "Trigger")
    name = text(message, "AlarmName", required=True)
    return _alert(
        name=name,
        arn=text(message, "AlarmArn") or _arn_by_topic(envelope, message, name),
        state=text(message, "NewStateValue", required=True),
        occurred_at=_required(moment(message, "StateChangeTime", received_at), "StateChangeTime"),
        description=prose(message, "AlarmDescription"),
        reason=prose(message, "NewStateReason"),
        metrics=_sns_metrics(trigger),
    )


def _of_eventbridge(event: Mapping[str, Any], received_at: datetime) -> Alert:
    detail = mapping(event, "detail", required=True)
    state, configuration = mapping(detail, "state", required=True), mapping(detail, "configuration")
    name = text(detail, "alarmName", required=True)
    resources = event.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], str) else ""
    return _alert(
        name=name,
        arn=arn or _arn("aws", text(event, "region", required=True), text(event, "account", required=True), name),
        state=text(state, "value", required=True, path="state."),
        occurred_at=_required(
            moment(state, "timestamp", received_at) or moment(event, "time", received_at), "state.timestamp"
        ),
        description=prose(configuration, "description"),
        reason=prose(state, "reason"),
        metrics=_event_metrics(configuration),
    )


def _alert(
    *,
    name: str,
    arn: str,
    state: str,
    occurred_at: datetime,
    description: str,
    reason: str,
    metrics: list[tuple[str, str, dict[str, str]]],
) -> Alert:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "cloudwatch" or parts[5] != "alarm":
        raise Unparseable(f"the alarm's ARN is not one: {shown(arn)}", field="AlarmArn")
    if state not in STATES:
        raise Unparseable(f"the state is none of {', '.join(STATES)}: {shown(state)!r}", field="state")
    _, partition, _, region, account, _, _ = parts
    dimensions = {key: value for _, _, found in reversed(metrics) for key, value in found.items()}
    namespace, metric = metrics[0][:2] if metrics else ("", "")
    labels = {"alarm": name, "account": account, "region": region, "namespace": namespace, "metric": metric}
    return Alert(
        source="cloudwatch",
        title=name,
        status=STATES[state],
        identity={"account": account, "region": region, "alarm": name},
        occurred_at=occurred_at,
        started_at=occurred_at,
        service=next((dimensions[d] for d in SERVICE_DIMENSIONS if dimensions.get(d)), ""),
        resource=_resource(partition, region, account, dimensions) or arn,
        summary=description or reason,
        labels={k: v for k, v in labels.items() if v} | {f"dimension.{k}": v for k, v in dimensions.items()},
        links=console_links(
            partition, region, f"cloudwatch/home?region={region}#alarmsV2:alarm/{quote(name, safe='')}"
        ),
        ask=arn,
    )


def _resource(partition: str, region: str, account: str, dimensions: Mapping[str, str]) -> str:
    """The ARN of what the metric's dimensions name, where they name it beyond doubt."""
    if "StateMachineArn" in dimensions:
        return dimensions["StateMachineArn"]
    if "FunctionName" in dimensions:
        return f"arn:{partition}:lambda:{region}:{account}:function:{dimensions['FunctionName']}"
    if "ClusterName" in dimensions and "ServiceName" in dimensions:
        return f"arn:{partition}:ecs:{region}:{account}:service/{dimensions['ClusterName']}/{dimensions['ServiceName']}"
    return ""


def _sns_metrics(trigger: Mapping[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """(namespace, metric, dimensions) of each metric: the alarm's own, or those that its metric math names."""
    several = [stat.get("Metric") for stat in _each_mapping(trigger.get("Metrics"), "MetricStat")]
    return [
        (prose(metric, "Namespace"), prose(metric, "MetricName"), _pairs(metric.get("Dimensions")))
        for metric in (trigger, *several)
        if isinstance(metric, Mapping) and prose(metric, "MetricName")
    ]


def _event_metrics(configuration: Mapping[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    metrics = [stat.get("metric") for stat in _each_mapping(configuration.get("metrics"), "metricStat")]
    return [
        (prose(metric, "namespace"), prose(metric, "name"), _entries(metric.get("dimensions")))
        for metric in metrics
        if isinstance(metric, Mapping)
    ]


def _each_mapping(values: object, name: str) -> Iterator[Mapping[str, Any]]:
    for value in values if isinstance(values, list) else ():
        found = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(found, Mapping):
            yield found


def _pairs(dimensions: object) -> dict[str, str]:
    """Dimensions as SNS spells them: a list of name and value (at most 30, says CloudWatch)."""
    pairs = [d for d in (dimensions if isinstance(dimensions, list) else ())[:30] if isinstance(d, Mapping)]
    return {name: prose(pair, "value") for pair in pairs if (name := prose(pair, "name"))}


def _entries(dimensions: object) -> dict[str, str]:
    found = dimensions if isinstance(dimensions, Mapping) else {}
    return {name: prose(found, name) for name in list(found)[:30] if len(name) <= 255}


def _arn_by_topic(envelope: Mapping[str, Any], message: Mapping[str, Any], name: str) -> str:
    """Older notifications carry no ARN and the region's long name; an alarm's topic is always of its own region."""
    _, partition, _, region, *_ = [*text(envelope, "TopicArn", required=True).split(":", 5), "", "", "", ""]
    return _arn(partition, region, text(message, "AWSAccountId", required=True), name)


def _arn(partition: str, region: str, account: str, name: str) -> str:
    return f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}"


def _required(found: datetime | None, name: str) -> datetime:
    if found is None:
        raise Unparseable(f"{name} is missing", field=name)
    return found


_ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:checkout-throttles"
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
    "detail-type": CHANGE,
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
_IDENTITY = {"account": "111122223333", "region": "eu-central-1", "alarm": "checkout-throttles"}


def _notification(**changes: Any) -> Mapping[str, Any]:
    message = {k: v for k, v in {**_METRIC_ALARM, **changes}.items() if v is not None}
    return {"Type": "Notification", "MessageId": "b0d9", "TopicArn": _TOPIC, "Message": message}


SOURCE = Source(
    name="cloudwatch",
    slow_seconds=75,  # an alarm's usual period, and the time in which its evaluation follows
    reference="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html",
    parse=parse,
    labels=("alarm", "account", "region", "namespace", "metric", "dimension.*"),
    recognise=recognise,
    event_patterns=({"source": ["aws.cloudwatch"], "detail-type": [CHANGE]},),
    ask=ask,
    permissions=(
        Permission(
            ("cloudwatch:DescribeAlarms",),
            ("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*",),
        ),
    ),
    examples=(
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
    ),
)
