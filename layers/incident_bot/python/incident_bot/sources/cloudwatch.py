"""CloudWatch alarms of every kind, by SNS, by EventBridge and as an alarm's own Lambda action.

An alarm is one series whichever way it comes. Of a Metrics Insights alarm each contributor is a series too, since it
says which resource it is. An alarm that CloudWatch mutes or suppresses, which EventBridge tells all the same, wakes
nobody: it is recorded as sev5, and its action at the end of the muting says more.

An alarm has no action that sends to a queue. Its Lambda action invokes `receive`, which is always warm and puts the
payload into the queue as it is; the function's policy lets only alarms of this account do so.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incident_bot.console import console_links
from incident_bot.domain.alert import Alert, Severity, Status
from incident_bot.domain.errors import Unparseable
from incident_bot.payload import decode, mapping, moment, prose, shown, text
from incident_bot.permission import Permission
from incident_bot.sources import Parsed, Source
from incident_bot.sources._alarm_examples import EXAMPLES
from incident_bot.sources._event import recognises
from incident_bot.sources._fields import labelled
from incident_bot.sources._metrics import (
    Metric,
    entries,
    expressions,
    kind_of,
    of_configuration,
    of_trigger,
    resource_of,
)
from incident_bot.world import Clients

STATES = {"ALARM": Status.FIRING, "OK": Status.RESOLVED, "INSUFFICIENT_DATA": Status.UNKNOWN}
SERVICE_NAMES = ("Service", "service", "ServiceName")  # dimensions and tags
CHANGE = "CloudWatch Alarm State Change"
CONTRIBUTOR = "CloudWatch Alarm Contributor State Change"
CHILDREN = 20  # a composite alarm has up to a hundred; whoever is woken reads the first

_of_eventbridge = recognises("aws.cloudwatch", CHANGE, CONTRIBUTOR)


@dataclass(frozen=True, slots=True)
class Told:
    """What an envelope says of an alarm."""

    name: str
    arn: str
    state: str
    at: datetime
    description: str
    reason: str
    kind: str
    metrics: list[Metric]
    children: list[str] = field(default_factory=list)  # the ARNs of those that set off a composite alarm
    contributor: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)  # the contributor's
    tags: Mapping[str, str] = field(default_factory=dict)
    suppressed_by: str = ""


def recognise(envelope: Mapping[str, Any]) -> bool:
    """An alarm's EventBridge event, its direct action, or an SNS notification with the JSON of an alarm in it."""
    message = envelope.get("Message")
    if isinstance(message, Mapping):
        return "AlarmName" in message and "NewStateValue" in message
    return _of_eventbridge(envelope) or _is_action(envelope)


def _is_action(event: Mapping[str, Any]) -> bool:
    """Whether it is what CloudWatch invokes a function with."""
    return event.get("source") == "aws.cloudwatch" and "alarmData" in event


def parse(body: Mapping[str, Any], received_at: datetime) -> Parsed:
    """The one alarm that the envelope speaks of; all copies of an alarm have the same fingerprint."""
    if "Message" in body:
        return Parsed((_alert(_of_sns(body, received_at)),))
    if _is_action(body):
        arn, account = text(body, "alarmArn"), text(body, "accountId")
        return Parsed((_alert(_of_event(body, mapping(body, "alarmData", required=True), arn, account, received_at)),))
    resources = body.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], str) else ""
    detail = mapping(body, "detail", required=True)
    return Parsed((_alert(_of_event(body, detail, arn, text(body, "account"), received_at)),))


def ask(alarm: str, clients: Clients) -> bool | None:
    """Whether the alarm of that ARN is in ALARM now; None for one of another account or region, gone, or no metric's.

    Describing composite alarms needs the permission on every resource, which is not worth having for one answer.
    """
    name = alarm.split(":", 6)[-1]
    alarms = clients.client("cloudwatch").describe_alarms(AlarmNames=[name]).get("MetricAlarms", [])
    states = [found["StateValue"] for found in alarms if found["AlarmArn"] == alarm]
    return {"ALARM": True, "OK": False}.get(states[0]) if states else None


def _of_sns(envelope: Mapping[str, Any], received_at: datetime) -> Told:
    message, trigger = mapping(envelope, "Message"), mapping(mapping(envelope, "Message"), "Trigger")
    name = text(message, "AlarmName", required=True)
    return Told(
        name=name,
        arn=text(message, "AlarmArn") or _arn_by_topic(envelope, message, name),
        state=text(message, "NewStateValue", required=True),
        at=_required(moment(message, "StateChangeTime", received_at), "StateChangeTime"),
        description=prose(message, "AlarmDescription"),
        reason=prose(message, "NewStateReason"),
        kind=kind_of({**message, **trigger}, expressions(trigger.get("Metrics"), "Expression")),
        metrics=of_trigger(trigger),
        children=_children(message.get("TriggeringChildren"), "Arn"),
        contributor=prose(message, "AlarmContributorId"),
        attributes=entries(message.get("AlarmContributorAttributes")),
    )


def _of_event(
    event: Mapping[str, Any], detail: Mapping[str, Any], arn: str, account: str, received_at: datetime
) -> Told:
    """What an event's detail says; the data of a direct action is the same."""
    state, configuration = mapping(detail, "state", required=True), mapping(detail, "configuration")
    name = text(detail, "alarmName", required=True)
    contributor, muted = mapping(detail, "alarmContributor"), mapping(detail, "muteDetail")
    at = moment(state, "timestamp", received_at) or moment(event, "time", received_at)
    return Told(
        name=name,
        arn=arn or _arn("aws", text(event, "region", required=True), account, name),
        state=text(state, "value", required=True, path="state."),
        at=_required(at, "state.timestamp"),
        description=prose(configuration, "description"),
        reason=prose(state, "reason"),
        kind=kind_of(configuration, expressions(configuration.get("metrics"), "expression")),
        metrics=of_configuration(configuration),
        children=_children(_data(state).get("triggeringAlarms"), "arn"),
        contributor=prose(contributor, "id"),
        attributes=entries(contributor.get("attributes")),
        tags=entries(detail.get("alarmTags"), 50),
        suppressed_by=prose(muted, "mutedByArn").rpartition(":")[2] or prose(state, "actionsSuppressedBy"),
    )


def _alert(told: Told) -> Alert:
    parts = told.arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "cloudwatch" or parts[5] != "alarm":
        raise Unparseable(f"the alarm's ARN is not one: {shown(told.arn)}", field="AlarmArn")
    if told.state not in STATES:
        raise Unparseable(f"the state is none of {', '.join(STATES)}: {shown(told.state)!r}", field="state")
    _, partition, _, region, account, _, _ = parts
    dimensions = {name: value for metric in reversed(told.metrics) for name, value in metric.dimensions.items()}
    dimensions |= told.attributes
    namespace, metric = told.metrics[0][:2] if told.metrics else ("", "")
    status = STATES[told.state]
    return Alert(
        source="cloudwatch",
        title=told.name,
        status=status,
        identity={"account": account, "region": region, "alarm": told.name}
        | ({"contributor": told.contributor} if told.contributor else {}),
        occurred_at=told.at,
        started_at=told.at,
        severity=Severity.SEV5 if told.suppressed_by and status is Status.FIRING else None,
        service=_service(dimensions, told.tags),
        resource=resource_of(partition, region, account, namespace, dimensions) or told.arn,
        summary=_summary(told),
        labels=labelled(
            alarm=told.name,
            account=account,
            region=region,
            kind=told.kind,
            namespace=namespace,
            metric=metric,
            contributor=told.contributor,
            children=", ".join(told.children),
            suppressed_by=told.suppressed_by,
            **{f"dimension.{name}": value for name, value in dimensions.items()},
            **{f"tag.{name}": value for name, value in told.tags.items()},
        ),
        links=console_links(
            partition, region, f"cloudwatch/home?region={region}#alarmsV2:alarm/{quote(told.name, safe='')}"
        ),
        ask="" if told.contributor else told.arn,
    )


def _service(dimensions: Mapping[str, str], tags: Mapping[str, str]) -> str:
    named = (values.get(name) for values in (dimensions, tags) for name in SERVICE_NAMES)
    return next((name for name in named if name), "")


def _summary(told: Told) -> str:
    """What people wrote about the alarm, or else why it changed, and what else is to know at once."""
    more = [f"set off by {', '.join(told.children)}"] if told.children else []
    more += [f"suppressed in CloudWatch by {told.suppressed_by}"] if told.suppressed_by else []
    said = told.description or told.reason
    return f"{said} ({'; '.join(more)})".lstrip() if more else said


def _children(listed: object, arn: str) -> list[str]:
    """The names of the alarms that set off a composite one."""
    named = [prose(child, arn) for child in (listed if isinstance(listed, list) else ()) if isinstance(child, Mapping)]
    return [name.split(":", 6)[-1] for name in named[:CHILDREN] if name]


def _data(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reason's data, which is JSON in a string; nothing where it is none."""
    found = state.get("reasonData")
    with suppress(Unparseable):
        decoded = decode(found) if isinstance(found, str) else None
        return decoded if isinstance(decoded, Mapping) else {}
    return {}


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


SOURCE = Source(
    name="cloudwatch",
    slow_seconds=75,  # an alarm's usual period, and the time in which its evaluation follows
    reference="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html",
    parse=parse,
    labels=(
        *("alarm", "kind", "namespace", "metric", "contributor", "children", "suppressed_by"),
        *("dimension.*", "tag.*", "account", "region"),
    ),
    recognise=recognise,
    event_patterns=({"source": ["aws.cloudwatch"], "detail-type": [CHANGE, CONTRIBUTOR]},),
    ask=ask,
    permissions=(
        Permission(
            ("cloudwatch:DescribeAlarms",),
            ("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*",),
        ),
    ),
    examples=EXAMPLES,
)
